import { waitsForIn } from "../../operator/api/approved.ts";
import type { Environment } from "../../operator/api/environment.ts";
import { requiredFor } from "../../operator/api/rules-for-plan.ts";
import type { Run } from "../../operator/api/run.ts";
import type { PlanCounts, RunStatus } from "../../operator/api/run-status.ts";

/** One person's word about a plan, and why it does not count where it does not. */
export type GivenWord = NonNullable<RunStatus["approvals"]>[number];

/** A plan as people are asked about it. This is also what `-o json` prints. */
export interface PlanPicture {
  readonly run: string;
  readonly runUid: string;
  readonly environment: string;
  readonly component: string;
  readonly number: number;
  readonly operation: string;
  readonly cause: string;
  /** sha256 of the plan file: an Approval is for exactly this. */
  readonly digest: string;
  /** Commit of the source, where it has one. */
  readonly revision?: string;
  readonly counts: PlanCounts;
  /** The first of the changes; `counts` has all of them. */
  readonly changes: readonly PlanChange[];
  /** It waits, for somebody's approval or for its turn; otherwise it is past. */
  readonly waits: boolean;
  readonly since?: string;
  readonly expiresAt?: string;
  readonly required: number;
  /** What people have said about it, as the Run lists it. */
  readonly words: readonly GivenWord[];
  /** Whose yes counts so far. */
  readonly approvedBy: readonly string[];
  /** What it waits for, where that is no approval any more, in the Run's words. */
  readonly waitsFor?: string;
  /** How the Run ended, or where it stands. */
  readonly state: string;
}

export interface PlanChange {
  readonly address: string;
  readonly action: string;
}

/** Of a Run without a plan: nothing. */
export function planOf({ metadata, spec, status }: Run): PlanPicture | undefined {
  const plan = status?.plan;
  if (plan === undefined) return undefined;
  const revision = plan.revision ?? spec.inputs.revision;
  const since = status?.heldAt ?? status?.plannedAt;
  const waitsFor = waitsForIn(status?.message);
  const words = status?.approvals ?? [];
  const counted = words.filter(({ decision, ignored }) => decision === "Approve" && !ignored);
  return {
    run: metadata.name,
    runUid: metadata.uid ?? "",
    environment: spec.environment.name,
    component: spec.component,
    number: spec.number,
    operation: spec.operation,
    cause: spec.cause.detail ?? spec.cause.type,
    digest: plan.digest,
    ...(revision === undefined ? {} : { revision }),
    counts: plan.counts,
    changes: plan.resources,
    waits: status?.phase === "AwaitingApproval",
    ...(since === undefined ? {} : { since }),
    ...(status?.expiresAt === undefined ? {} : { expiresAt: status.expiresAt }),
    required: requiredFor(spec.rules, plan.counts),
    words,
    approvedBy: counted.map(({ approver }) => approver),
    ...(waitsFor === undefined ? {} : { waitsFor }),
    state: status?.outcome?.result ?? status?.phase ?? "Pending",
  };
}

/** People have yet to agree to it. */
export const lacksApproval = ({ waits, required, approvedBy }: PlanPicture): boolean =>
  waits && approvedBy.length < required;

/** Plans that wait, in the order in which the components are declared. */
export function waitingPlans(environment: Environment, runs: readonly Run[]): readonly PlanPicture[] {
  return inOrder(environment, runs.map(planOf)).filter(({ waits }) => waits);
}

/** The newest plan of each component that was to change something; `runs` come newest first. */
export function lastPlans(environment: Environment, runs: readonly Run[]): readonly PlanPicture[] {
  const seen = new Set<string>();
  const changing = runs.filter(({ spec }) => spec.operation !== "Check");
  const plans = changing.map(planOf).filter((plan) => {
    if (plan === undefined || seen.has(plan.component)) return false;
    seen.add(plan.component);
    return true;
  });
  return inOrder(environment, plans);
}

function inOrder({ spec }: Environment, plans: readonly (PlanPicture | undefined)[]): readonly PlanPicture[] {
  const places = new Map(spec.components.map(({ name }, index) => [name, index]));
  const place = ({ component }: PlanPicture) => places.get(component) ?? Number.POSITIVE_INFINITY;
  return plans.filter((plan) => plan !== undefined).toSorted((a, b) => Math.sign(place(a) - place(b)) || 0);
}

/** What is gone afterwards, as far as the plan names it, and how many more there are. */
export function destroyedBy({ changes, counts }: PlanPicture): {
  readonly named: readonly PlanChange[];
  readonly more: number;
} {
  const named = changes.filter(({ action }) => action === "delete" || action === "replace");
  return { named, more: Math.max(0, counts.delete + counts.replace - named.length) };
}
