import type { Reason } from "../api/conditions.ts";
import { cutBytes, cutCharacters } from "../api/cut-bytes.ts";
import { isClosed, type Run } from "../api/run.ts";
import type { RunOutcome, RunPhase, RunStatus } from "../api/run-status.ts";
import { expiresAtMs } from "../approval/tally.ts";
import type { Acted } from "./act.ts";
import { conditionsOf } from "./conditions.ts";
import { closedPhase } from "./ending.ts";
import { withImages } from "./image.ts";
import type { ObservedPod, RunObservation } from "./observation.ts";
import { isWaitingForPeople } from "./phase.ts";
import { tallyOf } from "./waiting.ts";

/**
 * This controller's part of a Run's status after a round. The gateway writes the other part (progress, plan, outcome that was reported)
 * under a field manager of its own.
 */
export function statusAfter(observation: RunObservation, acted: Acted, now: Date): RunStatus | undefined {
  const { run } = observation;
  const status = statusOf(run, acted, now);
  return status === undefined ? undefined : { ...status, ...imagesOf(observation, status), ...questionOf(observation) };
}

function imagesOf(observation: RunObservation, { pods }: RunStatus): Pick<RunStatus, "pods"> {
  return pods === undefined ? {} : { pods: withImages(pods, observation) };
}

/** Of a plan that waited: until when, and what people have said. */
function questionOf(observation: RunObservation): Partial<RunStatus> {
  const { heldAt, expiresAt, approvals, approvalsTruncated, applyStartedAt } = observation.run.status ?? {};
  if (heldAt === undefined) return {};
  // A word counts until the apply begins, also one that finds a pod for it; what is said after that is no part of the record.
  if (isClosed(observation.run) || applyStartedAt !== undefined)
    return {
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(approvals === undefined ? {} : { approvals }),
      ...(approvalsTruncated === undefined ? {} : { approvalsTruncated }),
    };
  const until = expiresAtMs({ heldAtMs: Date.parse(heldAt), rules: observation.run.spec.rules });
  return {
    expiresAt: new Date(until).toISOString(),
    ...listed(wordsOf(observation)),
    ...(approvalsTruncated === undefined || isWaitingForPeople(observation.run) ? {} : { approvalsTruncated }),
  };
}

type RecordedWord = NonNullable<RunStatus["approvals"]>[number];

/** Once a pod was made on them, words are only added: what was said when it was made stays in the record, whatever becomes of the Approvals. */
function wordsOf(observation: RunObservation): readonly RecordedWord[] {
  const { words } = tallyOf(observation);
  if (isWaitingForPeople(observation.run)) return words;
  const known = observation.run.status?.approvals ?? [];
  return [...known, ...words.filter((word) => !known.some((one) => isSameWord(one, word)))];
}

const isSameWord = (a: RecordedWord, b: RecordedWord): boolean =>
  a.approver === b.approver && a.decision === b.decision && a.at === b.at;

/** What does not count is cut first: the record shows who decided. */
function listed(words: readonly RecordedWord[]): Pick<RunStatus, "approvals" | "approvalsTruncated"> {
  if (words.length === 0) return {};
  const counts = ({ ignored }: RecordedWord) => ignored === undefined;
  const sorted = [...words.filter(counts), ...words.filter((word) => !counts(word))];
  return {
    approvals: sorted.slice(0, MOST_WORDS),
    ...(sorted.length > MOST_WORDS ? { approvalsTruncated: true } : {}),
  };
}

const MOST_WORDS = 20;
/** Of the schema, for the message and for each condition. */
const LONGEST_MESSAGE = 1024;

function reasonFor(phase: RunPhase): Reason {
  return phase === "AwaitingApproval" ? "AwaitingApproval" : "Progressing";
}

function withPod(run: Run, { metadata }: ObservedPod, now: Date): NonNullable<RunStatus["pods"]> {
  const { name, uid, creationTimestamp } = metadata;
  const others = (run.status?.pods ?? []).filter((pod) => pod.name !== name);
  return [...others, { name, uid, createdAt: creationTimestamp ?? now.toISOString() }];
}

function statusOf(run: Run, acted: Acted, now: Date): RunStatus | undefined {
  switch (acted.type) {
    case "nothing":
      return undefined;
    case "started":
      return {
        ...ownPart(run),
        phase: "Starting",
        pods: withPod(run, acted.pod, now),
        startedAt: run.status?.startedAt ?? acted.pod.metadata.creationTimestamp ?? now.toISOString(),
        conditions: conditionsOf(run, "Starting", { reason: "Progressing", message: "the pod starts" }, now),
        message: "the pod starts",
      };
    case "working":
      return { ...ownPart(run), ...working(run, acted.phase, reasonFor(acted.phase), acted.message, now) };
    case "held":
      return {
        ...ownPart(run),
        heldAt: acted.at,
        ...working(run, "AwaitingApproval", "AwaitingApproval", "the plan waits for approval", now),
      };
    case "cancelling": {
      const message = "cancelled by a person: it is asked to stop";
      return {
        ...ownPart(run),
        ...working(run, acted.phase, "Progressing", message, now),
        cancelRequestedAt: now.toISOString(),
      };
    }
    case "imageTold":
      return asItIs(run);
    case "foreign": {
      const message = `a pod that the operator did not make has the name ${acted.name}: delete it`;
      return { ...ownPart(run), ...working(run, "Pending", "ForeignPod", message, now) };
    }
    case "hindered": {
      // The error itself may differ each time, and what is written brings the next round at once.
      const message = `the pod cannot be made now, and is tried again: the webhook ${acted.webhook} does not answer`;
      return { ...ownPart(run), ...working(run, run.status?.phase ?? "Pending", "Progressing", message, now) };
    }
    case "rightMissing": {
      const message = `the operator's role lacks a right, and it goes on when that is given back: ${acted.message}`;
      return { ...ownPart(run), ...working(run, "Pending", "RightMissing", message, now) };
    }
    case "unproven":
      return {
        ...ownPart(run),
        ...working(run, run.status?.phase ?? "Applying", "ProofOfDeathMissing", acted.message, now),
        unprovenPod: acted.podUid,
      };
    case "closed":
      return { ...ownPart(run), ...closed(run, acted.outcome, now) };
  }
}

function ownPart({ status, spec: _, metadata }: Run): RunStatus {
  const { pods, startedAt, heldAt, cancelRequestedAt } = status ?? {};
  return {
    observedGeneration: metadata.generation ?? 1,
    ...(pods === undefined ? {} : { pods }),
    ...(startedAt === undefined ? {} : { startedAt }),
    // Also where the gateway wrote it: a field that one manager leaves out goes when no other has it.
    ...(heldAt === undefined ? {} : { heldAt }),
    ...(cancelRequestedAt === undefined ? {} : { cancelRequestedAt }),
  };
}

/** All that this controller has written, once more: what one manager leaves out goes when no other has it. */
function asItIs(run: Run): RunStatus {
  const { phase, conditions, message, finishedAt, unprovenPod, outcome } = run.status ?? {};
  return {
    ...ownPart(run),
    ...(phase === undefined ? {} : { phase }),
    ...(conditions === undefined ? {} : { conditions }),
    ...(message === undefined ? {} : { message }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
    ...(unprovenPod === undefined ? {} : { unprovenPod }),
    // Of an open Run it is the gateway's alone.
    ...(isClosed(run) && outcome !== undefined ? { outcome } : {}),
  };
}

/** What a Run waits for may be long: a status that does not fit its schema could not be written at all. */
function working(run: Run, phase: RunPhase, reason: Reason, text: string, now: Date): Partial<RunStatus> {
  const message = cutBytes(text, LONGEST_MESSAGE);
  return { phase, message, conditions: conditionsOf(run, phase, { reason, message }, now) };
}

/** A Run whose end cannot be written would never close, and keep its place for ever. */
function closed(run: Run, ended: RunOutcome, now: Date): Partial<RunStatus> {
  const outcome = { ...ended, message: cutCharacters(ended.message, LONGEST_MESSAGE) };
  const phase = closedPhase(outcome);
  // What was reported stays as it is, unless it means something else by now.
  const reported = run.status?.outcome !== undefined && run.status.outcome.result === outcome.result;
  return {
    phase,
    finishedAt: now.toISOString(),
    conditions: conditionsOf(run, phase, outcome, now),
    ...(reported ? {} : { outcome }),
  };
}
