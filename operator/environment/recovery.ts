import type { Cause, Run } from "../api/run.ts";
import type { CutOff } from "../storage/record.ts";
import type { ComponentPast } from "./observation.ts";
import type { Verdict } from "./verdict.ts";

/** The apply that was cut off, where none has ended well since. The Run may tell of it before the record is seen to. */
export function cutOffOf({ record, latest }: Pick<ComponentPast, "record" | "latest">): CutOff | undefined {
  if (record?.cutOff !== undefined || record?.attempted === undefined) return record?.cutOff;
  if (latest?.status?.phase !== "Interrupted" || latest.metadata.uid !== record.attempted.runUid) return undefined;
  const { number, desiredDigest, request } = latest.spec;
  const at = latest.status.finishedAt ?? record.attempted.at;
  return { run: latest.metadata.name, number, desiredDigest, at, ...(request === undefined ? {} : { request }) };
}

/** The component is to recover: what it has begun is known to nobody, and is neither destroyed nor left alone before a person has said so. */
export const isRecovering = (past: ComponentPast): boolean =>
  cutOffOf(past) !== undefined && past.record?.attempted !== undefined;

/**
 * The apply that was cut off, where the next plan is for a person, whatever the rules say: nobody has asked for a Run since (`request`), or somebody
 * has said no to a plan that waited.
 */
export function unseenCutOff(past: ComponentPast, request: string | undefined): CutOff | undefined {
  const cutOff = cutOffOf(past);
  if (cutOff === undefined || request === undefined) return cutOff;
  return past.runs.some((run) => run.spec.number > cutOff.number && wasRejected(run)) ? cutOff : undefined;
}

const wasRejected = ({ status }: Run): boolean => status?.outcome?.reason === "Rejected";

/** Why there is a Run whose plan waits for a person after an apply that was cut off. */
export function recoveryCause(cutOff: CutOff, { runs, latest }: ComponentPast): Cause {
  const { outcome } = runs.find(({ metadata }) => metadata.name === cutOff.run)?.status ?? {};
  const things = (outcome?.journal?.leftovers.length ?? 0) === 0 ? "" : "; its journal names what no state has";
  const failed = latest !== undefined && latest.spec.number > cutOff.number && latest.status?.phase === "Failed";
  const since = failed ? `; Run ${latest.spec.number} ended with ${latest.status?.outcome?.reason}` : "";
  return { type: "Recovery", detail: `${saying(cutOff)}${things}${since}` };
}

const saying = ({ number }: CutOff): string => `Run ${number} was interrupted`;

/** Whatever else stands in the way of a component: that nobody knows what it has begun is said, too. */
export function withCutOffTold(verdict: Verdict): Verdict {
  const { past, state, message } = verdict;
  const cutOff = cutOffOf(past);
  if (cutOff === undefined || state === "Ready" || state === "Destroyed") return verdict;
  const told = saying(cutOff);
  if (message.includes(told)) return verdict;
  // What to do comes first: the status cuts long messages.
  const both = state === "AwaitingApproval" ? `${message}; ${told}: see its journal` : `${told}; ${message}`;
  return { ...verdict, message: both };
}
