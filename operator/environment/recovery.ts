import { ANNOTATIONS } from "../api/names.ts";
import type { Cause } from "../api/run.ts";
import { type CutOff, type CutOffApply, cutOffApplies, cutOffThatKeepsAwake } from "../storage/record-of-applies.ts";
import { endText } from "./cause.ts";
import type { ComponentPast, ComponentSeen, Observation } from "./observation.ts";
import type { Verdict } from "./verdict.ts";

/** The apply that was cut off, where none has ended well since. Where the record does not say so yet, its Run does. */
export function cutOffOf({ record, runs }: Pick<ComponentPast, "record" | "runs">): CutOff | undefined {
  const { cutOff, attempted } = record ?? {};
  if (cutOff !== undefined || attempted === undefined) return cutOff;
  const run = runs.find(({ metadata, status }) => metadata.uid === attempted.runUid && status?.phase === "Interrupted");
  if (run === undefined) return undefined;
  const { number, desiredDigest, request } = run.spec;
  const at = run.status?.finishedAt ?? attempted.at;
  return { run: run.metadata.name, number, desiredDigest, at, ...(request === undefined ? {} : { request }) };
}

/** Why it must not fall asleep by being destroyed. */
export function awakeAfterCutOff(past: ComponentPast): string | undefined {
  const cutOff = past.record && cutOffThatKeepsAwake(cutOffOf(past), past.record);
  return cutOff === undefined ? undefined : `${saying(cutOff)}, and no apply has ended well since`;
}

/**
 * The apply that was cut off, where the next plan is for a person, whatever the rules say: nobody has asked for a Run since (`request`), or somebody
 * has said no to a plan that waited.
 */
export function cutOffToShow(past: ComponentPast, request: string | undefined): CutOff | undefined {
  const cutOff = cutOffOf(past);
  return request === undefined || cutOff?.rejected ? cutOff : undefined;
}

/**
 * What the applies that were cut off had begun and no state has: a destroy does not reach it. Undefined where a person has seen to it; whoever has
 * seen to one of them has seen to those before.
 */
export function leftBehind({ observation, past }: ComponentSeen) {
  const confirmed = observation.environment.metadata.annotations?.[ANNOTATIONS.confirmGone]?.split(",") ?? [];
  const seenTo = new Set(confirmed.map((run) => run.trim()));
  const applies = cutOffApplies(cutOffOf(past));
  const seen = applies.findIndex(({ run }) => seenTo.has(run));
  const left = (seen === -1 ? applies : applies.slice(0, seen))
    .map((apply) => leftoversOf(apply, observation))
    .filter(({ things, isUntold }) => things.length > 0 || isUntold);
  const [newest] = left;
  if (newest === undefined) return undefined;
  const runs = left.map(({ number }) => `Run ${number}`).join(" and ");
  const more = left.reduce((sum, apply) => sum + apply.more, 0);
  const isUntold = left.some((apply) => apply.isUntold);
  return { run: newest.run, runs, things: left.flatMap(({ things }) => things), more, isUntold };
}

/**
 * What an apply had begun and no state has. Its Run, which may be of a name that the component had before, tells it. Where that was deleted, as by a
 * deletion in the foreground, only the journal in the store knows.
 */
function leftoversOf({ run, number, journal }: CutOffApply, { runs }: Observation) {
  const teller = runs.find(({ metadata }) => metadata.name === run);
  const { leftovers: things = [], more = 0 } = teller?.status?.outcome?.journal ?? {};
  return { run, number, things, more, isUntold: teller === undefined && journal !== undefined };
}

/** Why there is a Run whose plan waits for a person after an apply that was cut off. */
export function recoveryCause(cutOff: CutOff, { observation, past: { latest } }: ComponentSeen): Cause {
  const journals = cutOffApplies(cutOff)
    .filter((apply) => leftoversOf(apply, observation).things.length > 0)
    .map(({ run, number }) => (run === cutOff.run ? "its journal" : `that of Run ${number}`));
  const verb = journals.length === 1 ? "names" : "name";
  const named = journals.length === 0 ? "" : `; ${journals.join(" and ")} ${verb} what no state had then`;
  const failed = latest?.metadata.name !== cutOff.run && latest?.status?.phase === "Failed";
  const detail = `${saying(cutOff)}${named}${failed ? `; ${endText(latest)}` : ""}`;
  return { type: "Recovery", detail: detail.slice(0, 512) };
}

const saying = ({ number }: CutOff): string => `Run ${number} was interrupted`;

/** Whatever else stands in the way of a component: that nobody knows what it has begun is said, too. */
export function withCutOffTold(verdict: Verdict): Verdict {
  const { past, state, reason, message } = verdict;
  const cutOff = cutOffOf(past);
  if (cutOff === undefined || state === "Ready" || state === "Destroyed" || reason === "Recovering") return verdict;
  // What to do comes first: the status cuts long messages.
  const told = saying(cutOff);
  const both =
    state === "AwaitingApproval" ? `${message}; ${told}: see kubectl terrarium state imports` : `${told}; ${message}`;
  return { ...verdict, message: both };
}
