import type { Approval, ApprovalSpec } from "../../../operator/api/approval.ts";
import { API_VERSION } from "../../../operator/api/names.ts";
import type { HeldQuestion } from "../../../operator/approval/tally.ts";
import { T0 } from "../../fakes/objects.ts";

export const DIGEST = `sha256:${"a".repeat(64)}`;
export const OTHER_DIGEST = `sha256:${"b".repeat(64)}`;
const MINUTE_MS = 60_000;

export interface ApprovalFacts extends Partial<ApprovalSpec> {
  /** Minutes after the plan began to wait. */
  readonly after?: number;
  readonly name?: string;
}

/** Ada's yes to the plan of the Run `the-run`, one minute after it began to wait. */
export function anApproval({ after = 1, name, ...spec }: ApprovalFacts = {}): Approval {
  const whole: ApprovalSpec = {
    environment: "shop",
    run: { name: "the-run", uid: "run-uid" },
    planDigest: DIGEST,
    decision: "Approve",
    approver: "ada",
    ...spec,
  };
  return {
    apiVersion: API_VERSION,
    kind: "Approval",
    metadata: {
      name: name ?? `${whole.approver}-${after}`,
      namespace: "team",
      uid: `uid-${whole.approver}-${after}`,
      resourceVersion: "1",
      creationTimestamp: new Date(T0 + after * MINUTE_MS).toISOString(),
    },
    spec: whole,
  };
}

/** A plan that began to wait at T0, for an hour, and needs `required` people. */
export function aQuestion(required = 1): HeldQuestion {
  return {
    environment: "shop",
    run: { name: "the-run", uid: "run-uid" },
    planDigest: DIGEST,
    heldAtMs: T0,
    rules: { approval: { required, expiresAfter: "1h" } },
  };
}
