import type { Environment } from "../api/environment.ts";
import type { EnvironmentStatus } from "../api/environment-status.ts";
import { failed, LONGEST_WAIT_MS, type Outcome, settled, waiting } from "../loop/outcome.ts";
import { RecordsUnreadable } from "../storage/port.ts";
import { act } from "./act.ts";
import { type Decision, decide } from "./decide.ts";
import { announce } from "./events.ts";
import { observe } from "./observe.ts";
import { publishOutputs } from "./outputs.ts";
import type { EnvironmentPorts } from "./ports.ts";
import { statusFor } from "./status.ts";
import { statusOfUnreadable } from "./unreadable.ts";

/**
 * One round for one Environment: look at what is declared and what is, decide what is to be done, do it, say where things
 * stand. Every round begins from the facts, so it does not matter how the last one ended.
 */
export async function reconcileEnvironment(
  namespace: string,
  name: string,
  ports: EnvironmentPorts,
  signal: AbortSignal,
): Promise<Outcome> {
  const observation = await observe(namespace, name, ports, signal).catch(ifUnreadable);
  if (observation === undefined) return settled;
  if (observation instanceof RecordsUnreadable) return sayUnreadable(namespace, name, observation, ports, signal);
  const { environment } = observation;

  const { decision, errors } = await act(environment, decide(observation), ports, signal);
  const published = await publishOutputs(environment, decision, ports, signal);

  const status = statusFor(environment, decision, published, ports.now());
  if (status !== undefined) await tell(environment, status, ports, signal);
  const error = errors[0] ?? published.error;
  return error === undefined ? nextLook(decision, observation.nowMs) : failed(error);
}

async function tell(environment: Environment, status: EnvironmentStatus, ports: EnvironmentPorts, signal: AbortSignal) {
  if (await ports.writeStatus(environment, status, signal)) announce(environment, status, ports);
}

function ifUnreadable(error: unknown): RecordsUnreadable {
  if (error instanceof RecordsUnreadable) return error;
  throw error;
}

/** Nothing is decided by a part of the records. They may be readable at the next try: a key that comes back changes no record. */
async function sayUnreadable(
  namespace: string,
  name: string,
  error: RecordsUnreadable,
  ports: EnvironmentPorts,
  signal: AbortSignal,
): Promise<Outcome> {
  const environment = ports.environment(namespace, name);
  if (environment !== undefined)
    await tell(environment, statusOfUnreadable(environment, error, ports.now()), ports, signal);
  return failed(error);
}

/** Changes come by themselves; only moments have to be waited for. */
function nextLook(decision: Decision, nowMs: number): Outcome {
  if (decision.type === "mark" || decision.type === "letGo") return settled;
  const moments = [decision, ...decision.verdicts].flatMap(({ wakeAtMs }) =>
    wakeAtMs === undefined ? [] : [wakeAtMs],
  );
  return moments.length === 0 ? settled : waiting(Math.min(LONGEST_WAIT_MS, Math.max(0, Math.min(...moments) - nowMs)));
}
