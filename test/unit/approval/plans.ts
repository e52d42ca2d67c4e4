import type { PlanReport } from "../../../operator/gateway/protocol.ts";

/** A plan that changes nothing, but for what is told. */
export function aPlanReport(told: Partial<PlanReport> = {}): PlanReport {
  return {
    digest: "sha256:0",
    counts: { create: 0, update: 0, replace: 0, delete: 0 },
    empty: false,
    resources: [],
    truncated: false,
    drifted: 0,
    changes: [],
    changesTruncated: false,
    driftOnly: false,
    inputsDigest: "hmac:0",
    ...told,
  };
}
