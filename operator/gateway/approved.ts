import type { Approval } from "../api/approval.ts";
import { rulesForPlan } from "../api/rules-for-plan.ts";
import type { Run } from "../api/run.ts";
import { rejectionText, tally } from "../approval/tally.ts";
import type { KubeObject, Reader } from "../cluster/ports.ts";
import { APPROVALS } from "../cluster/resources.ts";
import type { Held } from "../storage/record.ts";
import type { PlanReport, Verdict } from "./protocol.ts";

/** Every word about a Run, read from the API server itself. */
export type ApprovalsOf = (run: Run, signal: AbortSignal) => Promise<readonly Approval[]>;

export type ApprovalReader = Pick<Reader, "listAll">;

export function approvalsFrom(client: ApprovalReader): ApprovalsOf {
  return async ({ metadata: { namespace, name } }, signal) => {
    const fieldSelector = `spec.run.name=${name}`;
    const { items } = await client.listAll<KubeObject>(APPROVALS, { namespace, fieldSelector, signal });
    return items as unknown as readonly Approval[];
  };
}

/** May the plan that waited be applied now? It must be the very same, made from inputs that are still the same, and approved. */
export function answerHeld(
  held: Held | undefined,
  report: PlanReport,
  run: Run,
  approvals: readonly Approval[],
  now: Date,
): Verdict {
  if (held === undefined) return refuse("Superseded", "no plan of this Run waits any more");
  if (held.plan.digest !== report.digest) return refuse("Superseded", "this is not the plan that was held");
  if (held.plan.inputsDigest !== report.inputsDigest) {
    return refuse("Superseded", "a value that the plan was made from has changed: a Secret, a ConfigMap, or an output");
  }
  const { standing } = tally(
    {
      environment: run.spec.environment.name,
      run: run.metadata,
      planDigest: held.plan.digest,
      heldAtMs: Date.parse(held.at),
      rules: rulesForPlan(run.spec.rules, held.plan.counts),
    },
    approvals,
    now.getTime(),
  );
  switch (standing.type) {
    case "approved":
      return { verdict: "Apply", reason: "Approved", message: approvedText(standing.by) };
    case "rejected":
      return refuse("Rejected", rejectionText(standing));
    case "expired":
      return refuse("PlanExpired", "the plan has expired");
    case "waiting":
      return refuse("Superseded", `an approval was taken back: ${standing.given} of ${standing.required} are left`);
  }
}

const approvedText = (by: readonly string[]) =>
  by.length === 0 ? "nobody had to be asked" : `approved by ${by.join(", ")}`;

const refuse = (reason: string, message: string): Verdict => ({ verdict: "Refuse", reason, message });
