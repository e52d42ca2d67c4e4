import { REASONS, reasonNames } from "../../operator/api/conditions.ts";
import type { ComponentPicture, Picture } from "./picture.ts";
import { stateAdvice } from "./state-advice.ts";

/** What a person can do about a component, and with which commands. */
export interface Advice {
  readonly component: string;
  readonly why: string;
  readonly commands: readonly string[];
}

/** What needs somebody, in the order of the components. What time or the engine brings is left alone. */
export function adviceFor(picture: Picture): readonly Advice[] {
  return picture.components
    .filter(({ waiting }) => waiting?.for === "approval" || waiting?.for === "person")
    .map((component) => ({
      component: component.name,
      why: whyOf(picture, component),
      commands: [...new Set([...looksAt(picture, component), ...commandsFor(picture, component)])],
    }));
}

function whyOf(picture: Picture, component: ComponentPicture): string {
  const { waiting, reason } = component;
  if (waiting?.for === "approval") return `its plan waits for ${waiting.what}`;
  const why = explained(waiting?.what ?? "", reason);
  const more = stateAdvice(picture.name, component)?.says;
  return more === undefined ? why : `${ended(why)} ${more}`;
}

/** What is said of a trouble, and what its reason means where that does not say what to do. */
export function explained(said: string, reason: string | undefined): string {
  const known = reasonNames.find((name) => name === reason);
  if (known === undefined || NAMES_A_WAY_ON.test(said)) return said;
  const { meaning } = REASONS[known];
  return said === "" || said === "resume" || meaning.startsWith(said) ? meaning : `${ended(said)} ${meaning}`;
}

/** Then the message need not be explained. */
const NAMES_A_WAY_ON = /terrarium\.dev\/|kubectl |spec\.[a-z]|deletionPolicy: |change the spec/;

const ended = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);

/** What an apply that was cut off has begun and no state has, before anything is decided about its component. */
function looksAt({ name, namespace }: Picture, component: ComponentPicture): readonly string[] {
  return component.interrupted === undefined ? [] : [importsOf(name, namespace, component.name)];
}

const importsOf = (name: string, namespace: string, component: string) =>
  `kubectl terrarium state imports ${name} ${component} -n ${namespace}`;

/** The plugin's own commands where it has them, kubectl's where it has not. */
function commandsFor({ name, namespace }: Picture, component: ComponentPicture): readonly string[] {
  const ours = (command: string) => `kubectl terrarium ${command} -n ${namespace}`;
  const kubectl = (rest: string) => `kubectl -n ${namespace} ${rest}`;
  const logs = component.run === undefined ? [] : [ours(`logs ${component.run}`)];
  if (component.waiting?.for === "approval") {
    return [ours(`plan ${name} ${component.name}`), ours(`approve ${name} --component ${component.name}`)];
  }
  switch (component.reason) {
    case "Suspended":
      return [ours(`resume ${name}`)];
    case "ProofOfDeathMissing":
      return component.run === undefined ? [] : [ours(`unlock ${component.run}`)];
    case "LeftBehind":
      return [
        importsOf(name, namespace, component.name),
        kubectl(
          `annotate environment ${name} terrarium.dev/confirm-gone=${component.interrupted ?? "RUN"} --overwrite`,
        ),
      ];
    case "RemovalNeedsConfirmation":
      return [kubectl(`annotate environment ${name} terrarium.dev/confirm-destroy=${component.name} --overwrite`)];
    case "LockOrphaned":
    case "LockForeign":
      return [ours(`state list ${name}`), ours(`state unlock ${name} ${component.name}`)];
    case "StateLost":
    case "StateUnsaved":
      return stateAdvice(name, component)?.commands.map(ours) ?? logs;
    case "Cancelled":
    case "Rejected":
    case "RetriesExhausted":
    case "BackendChoiceNeeded":
      return [...logs, ours(`run ${name}`)];
    default:
      return logs;
  }
}
