/** What rules and expressions are told of a plan. */
import type { Operation } from "../api/run.ts";
import type { PlannedChange, PlanReport } from "../gateway/protocol.ts";

/** Fields of `plan` in an expression, with what they mean. */
export const PLAN_FIELDS = {
  operation: "`Apply`, or `Destroy` where everything is to go",
  create: "how many resources are created",
  update: "how many are changed in place",
  replace: "how many are destroyed and created anew",
  delete: "how many are destroyed",
  forget: "how many leave the state and stay in the world",
  drifted: "how many resources were found changed in the world",
  driftOnly: "true: every change takes back what somebody changed in the world, and nothing else changes",
  changes: "every change, as a list",
} as const;

/** Fields of an item of `plan.changes`. */
export const CHANGE_FIELDS = {
  address: 'address of the resource, as in `module.data.aws_db_instance.main["a"]`',
  previousAddress: "the address that it has had until now, where a `moved` block gives it another; otherwise empty",
  type: "its type, as in `aws_db_instance`",
  action: "`create`, `update`, `replace`, `delete`, `forget`, `move` or `import`",
  attributes:
    "paths of the attributes that change, as in `tags.Owner`; lists and sensitive values are named as a whole. What is created or destroyed names every attribute that has a value",
} as const;

/** Whole numbers are bigints: that is what an integer of the expression language is. */
export interface PlanFacts {
  readonly operation: string;
  readonly create: bigint;
  readonly update: bigint;
  readonly replace: bigint;
  readonly delete: bigint;
  readonly forget: bigint;
  readonly drifted: bigint;
  readonly driftOnly: boolean;
  readonly changes: readonly Required<PlannedChange>[];
}

export function factsOf(plan: PlanReport, operation: Operation): PlanFacts {
  const { counts, changes = [] } = plan;
  return {
    operation,
    create: BigInt(counts.create),
    update: BigInt(counts.update),
    replace: BigInt(counts.replace),
    delete: BigInt(counts.delete),
    forget: BigInt(changes.filter(({ action }) => action === "forget").length),
    drifted: BigInt(plan.drifted),
    driftOnly: plan.driftOnly ?? false,
    changes: changes.map((change) => ({ previousAddress: "", ...change })),
  };
}
