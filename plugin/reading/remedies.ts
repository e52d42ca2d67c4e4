import { ANNOTATIONS } from "../../operator/api/names.ts";
import type { ComponentPicture, Confirmed, Picture } from "./picture.ts";
import { stateAdvice } from "./state-advice.ts";

/** Commands that help a component which needs somebody: the plugin's own where it has them, kubectl's where it has not. */
export function remedies(picture: Picture, component: ComponentPicture): readonly string[] {
  return [...new Set([...looksAt(picture, component), ...steps(picture, component)])];
}

export const ours = ({ namespace }: Picture, command: string): string => `kubectl terrarium ${command} -n ${namespace}`;

export const logsOf = (picture: Picture, { run }: ComponentPicture): readonly string[] =>
  run === undefined ? [] : [ours(picture, `logs ${run}`)];

/** What an apply that was cut off has begun and no state has, before anything is decided about its component. */
function looksAt(picture: Picture, component: ComponentPicture): readonly string[] {
  return component.interrupted === undefined ? [] : [importsOf(picture, component)];
}

const importsOf = (picture: Picture, { name }: ComponentPicture) =>
  ours(picture, `state imports ${picture.name} ${name}`);

function steps(picture: Picture, component: ComponentPicture): readonly string[] {
  const { name } = picture;
  if (component.state === "AwaitingApproval") return [...decisions(picture, component), ...resumption(picture)];
  switch (component.reason) {
    case "Suspended":
      return resumption(picture);
    case "ProofOfDeathMissing":
      return component.run === undefined ? [] : [ours(picture, `unlock ${component.run}`)];
    case "ForeignPod":
      return foreignPods(component).map((pod) => kubectl(picture, `delete pod ${pod}`));
    case "LeftBehind":
      return [importsOf(picture, component), confirmed(picture, component)];
    case "RemovalNeedsConfirmation":
      return [confirmed(picture, component)];
    case "ManyDeletions":
      return [annotated(picture, ANNOTATIONS.confirmDelete, "true")];
    case "LockOrphaned":
    case "LockForeign":
      return [ours(picture, `state list ${name}`), ours(picture, `state unlock ${name} ${component.name}`)];
    case "StateLost":
    case "StateUnsaved":
      return (
        stateAdvice(name, component)?.commands.map((command) => ours(picture, command)) ?? logsOf(picture, component)
      );
    case "BackendChoiceNeeded":
      return [ours(picture, `state push ${name} ${component.name} -f FILE`)];
    case "Cancelled":
    case "Rejected":
    case "RetriesExhausted":
      return [...logsOf(picture, component), ours(picture, `run ${name}`)];
    // Who installs Terrarium can help, and no log of a Run.
    case "RightMissing":
      return [];
    default:
      return logsOf(picture, component);
  }
}

const decisions = (picture: Picture, { name, waiting }: ComponentPicture): readonly string[] =>
  waiting?.for === "approval"
    ? [ours(picture, `plan ${picture.name} ${name}`), ours(picture, `approve ${picture.name} --component ${name}`)]
    : [];

const resumption = (picture: Picture): readonly string[] =>
  picture.suspended ? [ours(picture, `resume ${picture.name}`)] : [];

const kubectl = ({ namespace }: Picture, rest: string) => `kubectl -n ${namespace} ${rest}`;

const annotated = (picture: Picture, annotation: string, value: string) =>
  kubectl(picture, `annotate environment ${picture.name} ${annotation}=${value} --overwrite`);

/** What a person confirms of each component, in one annotation for all of them. */
const CONFIRMATIONS: Readonly<Record<string, readonly [annotation: string, said: keyof Confirmed]>> = {
  LeftBehind: [ANNOTATIONS.confirmGone, "gone"],
  RemovalNeedsConfirmation: [ANNOTATIONS.confirmDestroy, "destroy"],
};

const wordOf = ({ reason, name, interrupted }: ComponentPicture): string =>
  reason === "LeftBehind" ? (interrupted ?? "RUN") : name;

/** For this component, and for what was said before: the command would take that back. */
function confirmed(picture: Picture, component: ComponentPicture): string {
  const [annotation, said] = CONFIRMATIONS[component.reason ?? ""] ?? ["", "destroy"];
  const words = [...new Set([...picture.confirmed[said], wordOf(component)])];
  return annotated(picture, annotation, words.join(","));
}

/** Of several that wait for the same, the word about the next would take back the one before. */
export function oneWordForAll(picture: Picture, { reason = "" }: ComponentPicture): string | undefined {
  const [annotation, said] = CONFIRMATIONS[reason] ?? [];
  const all = picture.components.filter((one) => one.reason === reason);
  if (annotation === undefined || said === undefined || all.length < 2) return undefined;
  const words = [...new Set([...picture.confirmed[said], ...all.map(wordOf)])];
  return `Each command takes the place of the one before: whoever means all says ${annotation}=${words.join(",")}.`;
}

/** As the operator names the pod. */
const foreignPods = ({ message = "" }: ComponentPicture): readonly string[] =>
  [...message.matchAll(/has the name ([a-z0-9.-]+): delete it/g)].flatMap(([, pod]) => pod ?? []);
