import { ANNOTATIONS } from "../api/names.ts";
import type { Run, RunOutcome, RunPhase } from "../api/run.ts";
import type { RunDecision } from "./decide.ts";
import { outcomeOfDeath } from "./ending.ts";
import type { ObservedPod } from "./observation.ts";
import type { RunPorts } from "./ports.ts";

/** What came of a decision: the facts that the record is to hold. */
export type Acted =
  | { readonly type: "nothing" }
  | { readonly type: "started"; readonly pod: ObservedPod }
  | { readonly type: "working"; readonly phase: RunPhase; readonly message: string }
  | { readonly type: "foreign"; readonly name: string }
  | { readonly type: "unproven"; readonly message: string }
  | { readonly type: "closed"; readonly outcome: RunOutcome };

const nothing: Acted = { type: "nothing" };

/** Carries a decision out. Each action is safe to repeat: a crash in between leads to the same one again. */
export async function act(run: Run, decision: RunDecision, ports: RunPorts, signal: AbortSignal): Promise<Acted> {
  switch (decision.type) {
    case "rest":
      return nothing;
    case "letGo":
      if (decision.pod !== undefined) await ports.releasePod(decision.pod, signal);
      await ports.releaseRun(run, signal);
      return nothing;
    case "createPod":
      return createPod(run, ports, signal);
    case "wait":
      return { type: "working", phase: decision.phase, message: decision.message };
    case "stopPod":
      await ports.stopPod(decision.pod, signal);
      return { type: "working", phase: decision.phase, message: decision.message };
    case "close":
      await ports.endRun(run, { why: "its result is recorded", proven: true }, signal);
      return { type: "closed", outcome: decision.outcome };
    case "closeDead":
      return closeDead(run, decision, ports, signal);
  }
}

async function createPod(run: Run, ports: RunPorts, signal: AbortSignal): Promise<Acted> {
  const made = await ports.makePod(run, "Plan", signal);
  switch (made.type) {
    case "made":
      await ports.deleteEarlierPods(run, signal);
      return { type: "started", pod: made.pod };
    case "foreign":
      return { type: "foreign", name: made.name };
    case "rejected": {
      const message = `Kubernetes refused the runner pod: ${made.message}`.slice(0, 1000);
      return { type: "closed", outcome: { result: "Failed", reason: "PodRejected", message, retry: "Backoff" } };
    }
  }
}

async function closeDead(
  run: Run,
  death: Extract<RunDecision, { readonly type: "closeDead" }>,
  ports: RunPorts,
  signal: AbortSignal,
): Promise<Acted> {
  const end = await ports.endRun(run, { why: death.how, proven: death.proven }, signal);
  if (end.type === "mayBeApplying") {
    const command = `kubectl annotate run ${run.metadata.name} -n ${run.metadata.namespace} ${ANNOTATIONS.confirmDead}=true`;
    return { type: "unproven", message: `${death.how}; make sure that nothing of it runs any more, then: ${command}` };
  }
  const outcome = outcomeOfDeath(run, end.record, death);
  if (outcome.result !== "Interrupted") return { type: "closed", outcome };
  const journal = await ports.journalOf(run, signal);
  return { type: "closed", outcome: journal === undefined ? outcome : { ...outcome, journal } };
}
