import { REASONS, reasonNames } from "../../operator/api/conditions.ts";
import type { ComponentPicture, Picture } from "./picture.ts";
import { oneWordForAll, remedies } from "./remedies.ts";
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
      commands: remedies(picture, component),
    }));
}

function whyOf(picture: Picture, component: ComponentPicture): string {
  const { waiting, reason } = component;
  if (waiting?.for === "approval") return `its plan waits for ${waiting.what}`;
  const why = explained(waiting?.what ?? "", reason);
  const more = stateAdvice(picture.name, component)?.says ?? oneWordForAll(picture, component);
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

export const ended = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);
