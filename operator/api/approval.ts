import { z } from "zod";
import { durationBetween, objectName, rules } from "./fields.ts";
import type { ObjectMeta } from "./object-meta.ts";

const required = z
  .int()
  .min(0)
  .max(10)
  .describe("How many different people must approve, 0 to 10. 0: nobody is asked.");

const unless = z
  .string()
  .min(1)
  .max(1024)
  .describe(
    "An expression (CEL) about `plan`: plans for which it is true are applied without asking, as in `plan.delete == 0 && plan.replace == 0`. One that fails on a plan asks people.",
  );

const destroyRule = z
  .object({ required: required.default(1), unless: unless.optional() })
  .describe(
    "The rule for plans that only destroy. A component or an Environment that goes is destroyed under this rule. Where an ordinary plan destroys and does nothing else, both rules have to be met. Absent: the same as for all others.",
  );

/** Whose consent a plan needs, as people write it for an Environment or a component. */
export const approvalRules = z
  .object({
    required: required.default(1),
    unless: unless.optional(),
    planExpiresAfter: durationBetween("1m", "720h")
      .default("24h")
      .describe("How long a plan may wait, between 1m and 720h. After that it is void, and a fresh one is made."),
    destroy: destroyRule.optional(),
  })
  .describe("Who must approve a plan before it is applied.");

/** At most eight `*`: each costs time for every resource of a plan. */
const pattern = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^*]*([*][^*]*){0,8}$/)
  .meta({ refusal: "a pattern has at most eight '*'" });

const patterns = z.array(pattern).max(32).meta({ "x-kubernetes-list-type": "set" });

export const protect = patterns.describe(
  "Resources that no plan deletes or replaces, whoever approves: types as in `aws_db_instance` (in every module), or addresses as in `module.data` or `aws_s3_bucket.logs`, with everything inside. `*` is any text.",
);

export const maxDeletes = z
  .int()
  .min(0)
  .max(100_000)
  .describe(
    "The most that one plan may delete and replace, in resources. A plan that does more is refused, whoever approves.",
  );

/** What is in force for one Run: resolved when the Run is made, so that nothing that changes later loosens it. */
export const runRules = z
  .object({
    approval: z
      .object({
        required: required.describe("How many different people must approve this Run's plan."),
        unless: z.string().max(1024).optional().describe("Plans for which this expression is true need no approval."),
        expiresAfter: z.string().max(20).describe("How long the plan may wait, as in 24h."),
        destroy: z
          .object({
            required: required.describe("How many different people must approve such a plan."),
            unless: z.string().max(2100).optional().describe("Such plans for which this is true need no approval."),
          })
          .optional()
          .describe("Of an Apply: the stricter rule that counts where the plan destroys and does nothing else."),
      })
      .optional()
      .describe("Absent: nobody is asked."),
    protect: z
      .array(z.string().max(256))
      .max(64)
      .optional()
      .describe("Patterns of the Environment and of the component: what they match is neither deleted nor replaced."),
    maxDeletes: maxDeletes.optional(),
  })
  .describe("The rules for this Run, as they were when it was made.");

export const approvalSpec = z
  .object({
    environment: objectName.describe("Name of the Environment that the plan belongs to."),
    run: z
      .object({
        name: objectName.describe("Name of the Run."),
        uid: z
          .string()
          .min(1)
          .max(64)
          .describe("UID of the Run: a Run that is made anew under the same name is another."),
      })
      .describe("The Run whose plan is meant."),
    planDigest: z
      .string()
      .max(80)
      .regex(/^sha256:[0-9a-f]{64}$/)
      .meta({
        refusal: "planDigest is the digest of the plan as the Run's status has it: sha256:<64 hexadecimal digits>",
      })
      .describe("Digest of exactly the plan that is meant, from status.plan.digest of the Run."),
    decision: z.enum(["Approve", "Reject"]).describe("Yes or no."),
    approver: z
      .string()
      .min(1)
      .max(256)
      .describe("User name of whoever decides. It must be that of the one who creates this object."),
    reason: z.string().max(1024).optional().describe("Why, for the record."),
  })
  .describe("One person's yes or no to one plan. It never changes.")
  .meta(
    rules({ rule: "self == oldSelf", message: "an Approval is one person's word and never changes: make another" }),
  );

export type ApprovalRules = z.output<typeof approvalRules>;
export type RunRules = z.output<typeof runRules>;
export type ApprovalSpec = z.output<typeof approvalSpec>;

export interface Approval {
  readonly apiVersion: string;
  readonly kind: "Approval";
  readonly metadata: ObjectMeta;
  readonly spec: ApprovalSpec;
}
