import { ANNOTATIONS } from "../api/names.ts";
import { requiredFor } from "../api/rules-for-plan.ts";
import type { Run, RunSpec } from "../api/run.ts";
import { isWaitingForPeople } from "../run/phase.ts";
import { sideOfWriting, writingText } from "../storage/record.ts";
import { changesBetween, type Intended, usedOutputsText } from "./cause.ts";
import type { ComponentPast } from "./observation.ts";
import type { Answer } from "./verdict.ts";

/** A plan of this component waits for people, and nothing of it is applied yet. */
export function waitingRun({ open }: ComponentPast): Run | undefined {
  return open !== undefined && isWaitingForPeople(open) ? open : undefined;
}

/** What a plan would be made for now. */
export type Wanted = Pick<RunSpec, "operation" | "inputsDigest" | "request"> & Intended;

/** Why a plan that waits is no longer the one that is wanted; nothing where it still is. */
export function whySuperseded(run: Run, wanted: Wanted): string | undefined {
  const { spec, status } = run;
  if (spec.operation !== wanted.operation) return `a plan to ${wanted.operation.toLowerCase()} is wanted now`;
  if (spec.request !== wanted.request && wanted.request !== undefined) {
    return `a fresh plan was asked for: ${ANNOTATIONS.requestedAt}=${wanted.request}`.slice(0, 512);
  }
  if (spec.inputsDigest !== wanted.inputsDigest)
    return changesBetween(spec, wanted) ?? `changed: ${usedOutputsText(wanted.inputs)}`;
  // Where only the runner could look the ref up, the plan is of the commit that it found.
  const [then, now] = [spec.inputs.revision ?? status?.plan?.revision, wanted.inputs.revision];
  if (then !== undefined && now !== undefined && then !== now)
    return `the source moved from ${short(then)} to ${short(now)}`;
  return undefined;
}

/** A plan is made of a state: where a person has put another one in its place, it fits no more. */
export function whyOfAnotherState({ record }: ComponentPast, { spec, status }: Run): string | undefined {
  if (record?.written === undefined) return undefined;
  const { written } = record;
  const side = sideOfWriting(record, spec.number);
  const isOlder = side === undefined ? Date.parse(written.at) > Date.parse(status?.heldAt ?? "") : side === "before";
  if (!isOlder) return undefined;
  return `${writingText(written)} meanwhile`;
}

const short = (revision: string) => revision.slice(0, 12);

/** The plan is void: the Run ends, and the next round makes a new one. */
export function supersede(run: Run, why: string): Answer {
  return {
    state: "Pending",
    reason: "Superseded",
    message: `the plan of Run ${run.spec.number} is void: ${why}`,
    step: { type: "supersede", run, why },
  };
}

/** How many people have agreed to the plan of this Run, of how many that must. */
export function consentTo({ spec, status }: Run): { readonly given: number; readonly required: number } {
  const counted = (status?.approvals ?? []).filter(({ ignored }) => ignored === undefined);
  const given = counted.filter(({ decision }) => decision === "Approve").length;
  return { given, required: requiredFor(spec.rules, status?.plan?.counts) };
}

/** As many people as must have agreed to its plan, which may be none. */
export function isAgreed(run: Run): boolean {
  const { given, required } = consentTo(run);
  return given >= required;
}

/** What waits, since when, and the command that approves it; or what an approved plan still waits for. */
export function answerForWaiting(run: Run): Answer {
  const { heldAt = "", plan, message } = run.status ?? {};
  if (isAgreed(run) && message !== undefined) return awaiting(message);
  const { given, required } = consentTo(run);
  const { create = 0, update = 0, replace = 0, delete: removed = 0 } = plan?.counts ?? {};
  const counts = `+${create} ~${update} ±${replace} -${removed}`;
  // What to do comes first: the status cuts long messages.
  return awaiting(
    `kubectl terrarium approve ${run.spec.environment.name}: ${given} of ${required} approvals for ${counts} since ${heldAt.slice(0, 19)}Z`,
  );
}

const awaiting = (message: string): Answer => ({ state: "AwaitingApproval", reason: "AwaitingApproval", message });
