import type { Environment, EnvironmentStatus } from "../api/environment.ts";
import type { EnvironmentPorts } from "./ports.ts";

const LOUD = new Set(["Failed", "Interrupted", "Stalled"]);
const QUIET = new Set(["Ready", "Destroyed"]);

/** Tells once what has changed since the last status: which components came to stand or fell, and the whole. */
export function announce(
  environment: Environment,
  status: EnvironmentStatus,
  { event }: Pick<EnvironmentPorts, "event">,
): void {
  const before = new Map(environment.status?.components?.map((component) => [component.name, component]));
  for (const { name, state, reason, message } of status.components ?? []) {
    const was = before.get(name);
    if (was?.state === state && was.reason === reason) continue;
    const text = `${name}: ${message ?? state}`;
    if (LOUD.has(state)) event(environment, "Warning", reason ?? state, text);
    else if (QUIET.has(state) && was !== undefined)
      event(environment, "Normal", reason ?? state, `${name} is ${state}`);
  }
  const wasReady = environment.status?.conditions?.find(({ type }) => type === "Ready")?.status;
  const ready = status.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status === "True" && wasReady !== "True") event(environment, "Normal", "Ready", ready.message);
}
