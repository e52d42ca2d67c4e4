import type { Run } from "../api/run.ts";
import type { RunOutcome, RunPhase } from "../api/run-status.ts";
import type { ComponentRecord } from "../storage/record.ts";

export interface DeadPod {
  readonly how: string;
  readonly outOfMemory: boolean;
  /** Why the pod never started, where it did not. */
  readonly trouble: string | undefined;
  /** True: whether it has ended is not known; the store lets it apply no more. */
  readonly isLost?: boolean;
  /** What it has waited for until it was ended, where it did. */
  readonly inVain?: string | undefined;
}

/** How a Run ended whose pod died without a word. What the store has wins over what the cluster shows. */
export function outcomeOfDeath(run: Run, record: ComponentRecord | undefined, death: DeadPod): RunOutcome {
  return outcomeInStore(run, record, death) ?? endedBeforeApply(death);
}

/** Of a record that is fenced: a result that arrived in the last moment counts, and whoever was told to apply may have. */
export function outcomeInStore(
  run: Run,
  record: ComponentRecord | undefined,
  death: Pick<DeadPod, "how" | "outOfMemory">,
): RunOutcome | undefined {
  const { lastResult, claim } = record ?? {};
  if (lastResult?.runUid === run.metadata.uid) return lastResult.outcome;
  if (claim?.runUid === run.metadata.uid && claim.applying !== undefined) return interrupted(run, death);
  return undefined;
}

function endedBeforeApply(death: DeadPod): RunOutcome {
  if (death.outOfMemory) {
    const message = "the engine needed more memory than its limit; raise runner.resources.limits.memory";
    return { result: "Failed", reason: "OutOfMemory", message, retry: "Backoff" };
  }
  if (death.trouble !== undefined) {
    return { result: "Failed", reason: "PodUnschedulable", message: death.trouble, retry: "Backoff" };
  }
  const ended = death.isLost
    ? `nothing was applied, and the pod may not begin any more: ${death.how}`
    : `the pod ended before anything was applied (${death.how})`;
  // What to check comes first: the status cuts long messages.
  const message = death.inVain === undefined ? ended : `${death.inVain} ${ended}`;
  return { result: "Failed", reason: "RunnerLost", message, retry: "Backoff" };
}

function interrupted(run: Run, { how, outOfMemory }: Pick<DeadPod, "how" | "outOfMemory">): RunOutcome {
  const cause = outOfMemory ? "the engine ran out of memory" : how;
  const next = run.spec.operation === "Destroy" ? "; what is left is destroyed by the next try" : "";
  return { result: "Interrupted", reason: "Interrupted", message: `the pod died while it applied: ${cause}${next}` };
}

export function closedPhase({ result }: RunOutcome): RunPhase {
  switch (result) {
    case "Applied":
    case "Unchanged":
    case "Drifted":
    case "Destroyed":
      return "Succeeded";
    case "Failed":
    case "Waiting":
      return "Failed";
    case "Interrupted":
    case "Cancelled":
      return result;
  }
}
