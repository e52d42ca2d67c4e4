import { FINALIZERS } from "../api/names.ts";
import { failed, LONGEST_WAIT_MS, type Outcome, settled, waiting } from "../loop/outcome.ts";
import { type Acted, act } from "./act.ts";
import { proofOfDeath } from "./death.ts";
import { decideRun, type RunDecision } from "./decide.ts";
import { observeRun } from "./observe.ts";
import { overrideToNote } from "./overridden.ts";
import type { RunPorts } from "./ports.ts";
import { statusAfter } from "./status.ts";

/** One round for one Run: look, decide, do, record. */
export async function reconcileRun(
  namespace: string,
  name: string,
  ports: RunPorts,
  signal: AbortSignal,
): Promise<Outcome> {
  const seen = await observeRun(namespace, name, ports, signal);
  if (seen === undefined) return letStraysGo(namespace, name, ports, signal);
  const { run, environment } = seen;

  // From counting the places until one is taken nothing is awaited: no other round can take the same one.
  const observation = { ...seen, freePlaces: ports.freePlaces(run) };
  const decision = decideRun(observation);
  const override = overrideToNote(observation, decision);
  if (override !== undefined && environment !== undefined) {
    // It is written down before anything follows from it; that it is brings the next round.
    await ports.noteOverride(run, environment, override, signal);
    return settled;
  }
  const acted = await act(run, decision, ports, signal);

  const status = statusAfter(observation, acted, ports.now());
  const written = status !== undefined && (await ports.writeStatus(run, status, signal));
  if (acted.type === "closed" && written) ports.announceEnd(run, acted.outcome);
  return nextLook(decision, acted, observation.nowMs);
}

/** Somebody has taken the Run away by force. Its pods would be kept for ever: they go once they are proven dead, which their events tell. */
async function letStraysGo(namespace: string, name: string, ports: RunPorts, signal: AbortSignal): Promise<Outcome> {
  for (const pod of ports.podsOf(namespace, name)) {
    if (!pod.metadata.finalizers?.includes(FINALIZERS.pod)) continue;
    const nodeName = pod.spec?.nodeName;
    const node = nodeName === undefined ? undefined : await ports.node(nodeName, signal);
    if (proofOfDeath(pod, node) !== undefined && (await ports.isGone(namespace, name, signal)))
      await ports.releasePod(pod, signal);
  }
  return settled;
}

function nextLook(decision: RunDecision, acted: Acted, nowMs: number): Outcome {
  if (acted.type === "rightMissing") return failed(new Error(acted.message));
  if (acted.type === "hindered") return failed(acted.error);
  if (acted.type === "foreign") return failed(new Error(`a foreign pod has the name ${acted.name}`));
  if (decision.type !== "wait" && decision.type !== "await") return settled;
  if (decision.wakeAtMs === undefined) return settled;
  return waiting(Math.min(LONGEST_WAIT_MS, Math.max(0, decision.wakeAtMs - nowMs)));
}
