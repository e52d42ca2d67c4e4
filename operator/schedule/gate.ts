import type { Environment } from "../api/environment.ts";
import { ANNOTATIONS } from "../api/names.ts";
import { sleepAt } from "./sleep.ts";
import type { ScheduleTrouble } from "./window.ts";
import { type WindowAnswer, windowsAt } from "./windows.ts";

/** May anything of an Environment be applied or destroyed now? Not while one of its schedules cannot be used. */
export type Gate =
  | { readonly state: "open" }
  /** No window is open, and a person says why that does not matter this time. */
  | { readonly state: "overridden"; readonly reason: string }
  | { readonly state: "closed"; readonly opensAtMs: number; readonly message: string }
  | { readonly state: "invalid"; readonly trouble: ScheduleTrouble };

/** The person's reason for going ahead outside of the windows; an empty one is none. */
export function overrideOf({ metadata }: Pick<Environment, "metadata">): string | undefined {
  const reason = metadata.annotations?.[ANNOTATIONS.windowOverride]?.trim();
  return reason === undefined || reason === "" ? undefined : reason.slice(0, 256);
}

export function gateOf(environment: Environment, atMs: number): Gate {
  const sleep = sleepAt(environment.spec.lifetime?.sleep, atMs);
  if (sleep.state === "invalid") return sleep;
  const answer = windowsAt(environment.spec.windows ?? [], atMs);
  if (answer.state === "open" || answer.state === "invalid") return answer;
  const reason = overrideOf(environment);
  if (reason !== undefined) return { state: "overridden", reason };
  return { state: "closed", opensAtMs: answer.opensAtMs, message: closedText(answer) };
}

function closedText({ opensAtMs, by, foreseen }: Extract<WindowAnswer, { readonly state: "closed" }>): string {
  const opens = asTime(opensAtMs);
  if (!foreseen) return `no window opens before ${opens}: they change too often to look further ahead`;
  if (by !== undefined) return `window ${by} denies it now: changes may begin at ${opens}`;
  return `no window is open: the next one opens at ${opens}`;
}

/** For people: to the second, in UTC. */
export const asTime = (atMs: number): string => new Date(atMs).toISOString().replace(/\.\d+Z$/, "Z");

/** The sentence for a schedule that cannot be used: where it is written comes first. */
export const troubleText = ({ path, message }: ScheduleTrouble): string => `spec.${path}: ${message}`;
