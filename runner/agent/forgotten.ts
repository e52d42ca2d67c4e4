/** A destroy that leaves things in the world, since the module says that they are to stay. */
import { errorsOf } from "../../operator/engine/diagnostics.ts";
import { type EngineEvent, parseEvent } from "../../operator/engine/events.ts";
import type { Outcome } from "./ending.ts";
import { cut } from "./engine-failure.ts";
import type { CommandEnd } from "./engine-session.ts";

const SHOWN = 10;

/** OpenTofu 1.12 ends with 1, and with this as its only error, when a destroy went well and `lifecycle { destroy = false }` kept something. */
const LEFT_BEHIND = "Destroy was successful but left behind forgotten instances";

type PlannedChange = Extract<EngineEvent, { readonly type: "PlannedChange" | "Drift" }>;

/** Engines call it so when a thing leaves the state and stays in the world. */
export const isForgotten = (event: EngineEvent): event is PlannedChange =>
  event.type === "PlannedChange" && event.action === "remove";

export const forgottenIn = (lines: readonly string[]): readonly string[] =>
  lines
    .map(parseEvent)
    .filter(isForgotten)
    .map(({ address }) => address);

/** Undefined where anything else went wrong, too. */
export function destroyedAllButForgotten({ exit, diagnostics, forgotten }: CommandEnd): Outcome | undefined {
  const [error, ...others] = errorsOf(diagnostics);
  const endedByItself = exit.code === 1 && exit.signal === null && exit.startError === undefined && !exit.timedOut;
  if (!endedByItself || error?.summary !== LEFT_BEHIND || others.length > 0) return undefined;
  const message = `what the component made was destroyed, but for what its module keeps (destroy = false), which is in no state any more: ${namesOf(forgotten)}`;
  return { result: "Destroyed", reason: "Destroyed", message: cut(message) };
}

function namesOf(forgotten: readonly string[]): string {
  if (forgotten.length === 0) return "the log of the plan names it";
  const more = forgotten.length > SHOWN ? ` and ${forgotten.length - SHOWN} more` : "";
  return `${forgotten.slice(0, SHOWN).join(", ")}${more}`;
}
