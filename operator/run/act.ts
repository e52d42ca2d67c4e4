import type { Run } from "../api/run.ts";
import type { RunOutcome, RunPhase } from "../api/run-status.ts";
import { saidDead, sayDeadCommand } from "../api/said-dead.ts";
import type { ComponentRecord } from "../storage/record.ts";
import type { RunEnd, WhyEnded } from "../storage/run-end.ts";
import { cancelledInstead } from "./cancel.ts";
import type { RunDecision } from "./decide.ts";
import { type DeadPod, outcomeInStore, outcomeOfDeath } from "./ending.ts";
import type { ObservedPod } from "./observation.ts";
import { phaseNameOf } from "./phase.ts";
import type { RunPorts } from "./ports.ts";
import { supersededOutcome } from "./waiting.ts";

/** What came of a decision: the facts that the record is to hold. */
export type Acted =
  | { readonly type: "nothing" }
  | { readonly type: "started"; readonly pod: ObservedPod }
  /** The plan is in the store, although its pod did not live to say so. */
  | { readonly type: "held"; readonly at: string }
  | { readonly type: "working"; readonly phase: RunPhase; readonly message: string }
  | { readonly type: "cancelling"; readonly phase: RunPhase }
  | { readonly type: "imageTold" }
  | { readonly type: "foreign"; readonly name: string }
  | { readonly type: "hindered"; readonly webhook: string; readonly error: unknown }
  | { readonly type: "rightMissing"; readonly message: string }
  | { readonly type: "unproven"; readonly podUid: string; readonly message: string }
  | { readonly type: "closed"; readonly outcome: RunOutcome };

const nothing: Acted = { type: "nothing" };

/** Carries a decision out. Each action is safe to repeat: a crash in between leads to the same one again. */
export async function act(run: Run, decision: RunDecision, ports: RunPorts, signal: AbortSignal): Promise<Acted> {
  switch (decision.type) {
    case "rest":
    case "await":
      return nothing;
    case "drop":
      if (
        decision.pod !== undefined &&
        decision.pod.metadata.deletionTimestamp === undefined &&
        !hasEnded(decision.pod)
      )
        await ports.stopPod(decision.pod, signal);
      return { type: "closed", outcome: decision.outcome };
    case "letGo":
      for (const pod of decision.pods) await ports.releasePod(pod, signal);
      await ports.releaseRun(run, signal);
      return nothing;
    case "releasePod":
      await ports.releasePod(decision.pod, signal);
      return nothing;
    case "recordImage":
      return { type: "imageTold" };
    case "createPod":
      return run.spec.operation === "Check" ? createCheckPod(run, ports, signal) : createPod(run, ports, signal);
    case "wait":
      return { type: "working", phase: decision.phase, message: decision.message };
    case "hearCancel":
      return { type: "cancelling", phase: decision.phase };
    case "stopPod":
      await ports.stopPod(decision.pod, signal);
      return { type: "working", phase: decision.phase, message: decision.message };
    case "lost":
      return closeLost(run, decision, ports, signal);
    case "cancel":
      return (await ports.hasPod(run, phaseNameOf(run), signal))
        ? createPod(run, ports, signal)
        : closeUnproven(run, decision.outcome, ports, signal);
    case "close":
      await ports.endRun(run, { why: "its result is recorded", proven: true, reported: true }, signal);
      return { type: "closed", outcome: decision.outcome };
    case "closeDead":
      return closeDead(run, decision, ports, signal);
  }
}

const hasEnded = ({ status }: ObservedPod): boolean => status?.phase === "Succeeded" || status?.phase === "Failed";

async function createPod(run: Run, ports: RunPorts, signal: AbortSignal): Promise<Acted> {
  const made = await ports.makePod(run, phaseNameOf(run), signal);
  switch (made.type) {
    case "made":
      await ports.deleteEarlierPods(run, signal);
      return { type: "started", pod: made.pod };
    case "foreign":
      return { type: "foreign", name: made.name };
    case "hindered":
    case "rightMissing":
      return made;
    case "rejected": {
      const message = `Kubernetes refused the runner pod: ${made.message}`.slice(0, 1000);
      const outcome = { result: "Failed", reason: "PodRejected", message, retry: "Backoff" } as const;
      return closeUnproven(run, outcome, ports, signal);
    }
  }
}

/** It is heard of when it ends; the pod of the last apply stays, for its log. */
async function createCheckPod(run: Run, ports: RunPorts, signal: AbortSignal): Promise<Acted> {
  const made = await ports.makePod(run, "Plan", signal);
  if (made.type === "made") return nothing;
  // Nobody waits for a Check: it is only tried again.
  if (made.type === "rightMissing") throw new Error(made.message);
  if (made.type === "hindered") throw made.error;
  const [reason, message] =
    made.type === "foreign"
      ? ["ForeignPod", `a pod that the operator did not make has the name ${made.name}: delete it`]
      : ["PodRejected", `Kubernetes refused the runner pod: ${made.message}`.slice(0, 1000)];
  return { type: "closed", outcome: { result: "Failed", reason, message, retry: "Backoff" } };
}

/** No pod is known. One whose creation is still on its way finds the door closed: the store will not take its claim. A person may know of one. */
async function closeUnproven(run: Run, outcome: RunOutcome, ports: RunPorts, signal: AbortSignal): Promise<Acted> {
  const rejected = outcome.reason === "Rejected";
  const end = await ports.endRun(run, { why: outcome.message, proven: false, rejected, ...saidOf(run) }, signal);
  if (end.type !== "fenced") return unproven(run, end, "its pod is not to be found");
  return closed(run, outcomeInStore(run, end.record, SAID_DEAD) ?? outcome, ports, signal);
}

/** All that is known of a pod that the Run has no record of. */
const SAID_DEAD = { how: "a person confirmed that it is dead", outOfMemory: false } as const;

type MayBeApplying = Extract<RunEnd, { readonly type: "mayBeApplying" }>;

const ANOTHER_POD = "another pod of its name was told to apply, whose object somebody has let go of";

const unproven = (run: Run, { podUid }: MayBeApplying, how: string): Acted => ({
  type: "unproven",
  podUid,
  message: `${how}; ${makeSure(run, podUid)}`,
});

const makeSure = ({ metadata }: Run, podUid: string): string =>
  `make sure that nothing of it runs any more, then: ${sayDeadCommand(metadata, podUid)}`;

function saidOf(run: Run): Pick<WhyEnded, "saidDead"> {
  const said = saidDead(run);
  return said === undefined ? {} : { saidDead: said };
}

/**
 * One that has not been told to apply never will be, and one whose result is in the store has ended. Of any other, the proof that a node can
 * give comes first: a word about a pod that lives lets two of them write.
 */
async function closeLost(run: Run, { podUid, node }: Lost, ports: RunPorts, signal: AbortSignal): Promise<Acted> {
  const how = `node ${node} does not say that the pod has ended`;
  const proof = "if it is off for good, delete the Node or taint it node.kubernetes.io/out-of-service";
  const asking = (uid: string): Acted => ({
    type: "unproven",
    podUid: uid,
    message: `${how}: ${proof}; otherwise ${makeSure(run, uid)}`,
  });
  // The store may have lost that; a result that it has is one.
  if (run.status?.applyStartedAt !== undefined && !(await ports.hasReported(run, signal))) return asking(podUid);
  const death = { how, outOfMemory: false, trouble: undefined, proven: false, isLost: true } as const;
  const acted = await closeDead(run, { type: "closeDead", ...death }, ports, signal);
  return acted.type === "unproven" ? asking(acted.podUid) : acted;
}

type Lost = Extract<RunDecision, { readonly type: "lost" }>;

async function closeDead(
  run: Run,
  death: Extract<RunDecision, { readonly type: "closeDead" }>,
  ports: RunPorts,
  signal: AbortSignal,
): Promise<Acted> {
  // Its last word may have been lost: what is in the store waits, whatever became of the pod.
  const heldAt = phaseNameOf(run) === "Plan" ? await ports.heldSince(run, signal) : undefined;
  if (heldAt !== undefined) return { type: "held", at: heldAt };
  const { how: why, proven, podUid } = death;
  const proof = { why, proven, ...(podUid === undefined ? {} : { podUid }), ...saidOf(run) };
  const end = await ports.endRun(run, proof, signal);
  if (end.type === "mayBeApplying") return unproven(run, end, proven ? `${why}, but ${ANOTHER_POD}` : why);
  return closed(run, cancelledInstead(run, outcomeOf(run, end.record, death)), ports, signal);
}

async function closed(run: Run, outcome: RunOutcome, ports: RunPorts, signal: AbortSignal): Promise<Acted> {
  if (outcome.result !== "Interrupted") return { type: "closed", outcome };
  const journal = await ports.journalOf(run, signal);
  return { type: "closed", outcome: journal === undefined ? outcome : { ...outcome, journal } };
}

/** A pod that was asked to end since its plan is not wanted any more did not fail. */
function outcomeOf(run: Run, ...ended: readonly [ComponentRecord | undefined, DeadPod]): RunOutcome {
  const outcome = outcomeOfDeath(run, ...ended);
  return outcome.reason === "RunnerLost" ? (supersededOutcome(run) ?? outcome) : outcome;
}
