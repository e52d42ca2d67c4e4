import assert from "node:assert/strict";
import type { EnvironmentStatus } from "../../../operator/api/environment-status.ts";
import type { Decision } from "../../../operator/environment/decide.ts";
import { statusFor } from "../../../operator/environment/status.ts";
import type { Verdict } from "../../../operator/environment/verdict.ts";
import { customizationOf } from "../../fakes/argo-lua.ts";
import { kstatusOf, violationsBetween, violationsOf } from "../../fakes/kstatus.ts";
import { aComponent, anEnvironment, T0 } from "../../fakes/objects.ts";
import { aVerdict } from "./verdicts.ts";

const ready = aVerdict("a", "Ready", "Applied", { satisfied: true });
const gone = aVerdict("a", "Destroyed", "Destroyed");
const moves = aVerdict("b", "Applying", "Progressing");
const soon = { wakeAtMs: T0 + 10_000, retries: 1 };

type Row = readonly [
  name: string,
  type: "converge" | "expire" | "dismantle",
  verdicts: readonly Verdict[],
  says: string,
];

/** docs/gitops.md in the words of the product: conditions, then what kstatus and Argo CD make of them. */
const rows: readonly Row[] = [
  ["is applied", "converge", [ready], "Ready=True Applied: Current, Healthy"],
  ["is being applied", "converge", [ready, moves], "Ready=False Progressing, Reconciling: InProgress, Progressing"],
  [
    "failed, and is tried again",
    "converge",
    [ready, aVerdict("b", "Failed", "PlanFailed", soon)],
    "Ready=False PlanFailed, Reconciling: InProgress, Progressing",
  ],
  [
    "needs a person, while others go on",
    "converge",
    [moves, aVerdict("c", "Interrupted", "Interrupted")],
    "Ready=False Interrupted, Stalled: Failed, Degraded",
  ],
  [
    "was rejected",
    "converge",
    [ready, aVerdict("b", "Failed", "Rejected")],
    "Ready=False Rejected, Stalled: Failed, Degraded",
  ],
  [
    "waits for approval",
    "converge",
    [ready, aVerdict("b", "AwaitingApproval", "AwaitingApproval")],
    "Ready=False AwaitingApproval, Reconciling, AwaitingApproval: InProgress, Suspended",
  ],
  [
    "waits for a removal to be confirmed",
    "converge",
    [ready, aVerdict("b", "Stalled", "RemovalNeedsConfirmation")],
    "Ready=False RemovalNeedsConfirmation, Stalled: Failed, Suspended",
  ],
  [
    "waits for a window",
    "converge",
    [ready, aVerdict("b", "Suspended", "WindowClosed")],
    "Ready=False WindowClosed, Reconciling: InProgress, Suspended",
  ],
  [
    "is suspended, with a change that waits",
    "converge",
    [ready, aVerdict("b", "Suspended", "Suspended")],
    "Ready=False Suspended: InProgress, Suspended",
  ],
  ["sleeps", "converge", [ready, aVerdict("b", "Suspended", "Asleep")], "Ready=True Asleep: Current, Healthy"],
  [
    "is destroyed at the end of its lifetime",
    "expire",
    [aVerdict("a", "Destroying", "Destroying")],
    "Ready=False Expired, Reconciling: InProgress, Progressing",
  ],
  [
    "waits for approval at the end of its lifetime",
    "expire",
    [aVerdict("a", "AwaitingApproval", "AwaitingApproval")],
    "Ready=False AwaitingApproval, Reconciling, AwaitingApproval: InProgress, Suspended",
  ],
  [
    "waits for a window at the end of its lifetime",
    "expire",
    [aVerdict("a", "Suspended", "WindowClosed")],
    "Ready=False WindowClosed, Reconciling: InProgress, Suspended",
  ],
  ["has come to its end", "expire", [gone], "Ready=False Expired: InProgress, Suspended"],
];

const changed = anEnvironment([aComponent("a")], { metadata: { generation: 2 } });

function statusOf(type: Row[1], verdicts: readonly Verdict[], before?: EnvironmentStatus): EnvironmentStatus {
  const environment = { ...changed, ...(before === undefined ? {} : { status: before }) };
  const status = statusFor(environment, { type, verdicts } as Decision, { lines: [] }, new Date(T0));
  assert.ok(status !== undefined);
  return status;
}

describe("To kstatus and Argo CD, an Environment", () => {
  for (const [name, type, verdicts, says] of rows)
    it(`that ${name} is ${says.split(": ")[1]}`, async () => {
      const object = { ...changed, status: statusOf(type, verdicts) };
      const [first, ...others] = object.status.conditions ?? [];
      const holding = others.filter(({ status }) => status === "True").map((one) => one.type);
      const conditions = [`${first?.type}=${first?.status} ${first?.reason}`, ...holding].join(", ");
      const { status } = await customizationOf("Environment").health(object);
      assert.equal(`${conditions}: ${kstatusOf(object)}, ${status}`, says);
      assert.deepEqual(violationsOf(object), []);
    });

  it("breaks no rule between any two of these", () => {
    for (const [, before, old] of rows)
      for (const [, type, verdicts] of rows) {
        const then = { ...changed, status: statusOf(before, old) };
        const now = { ...changed, status: statusOf(type, verdicts, then.status) };
        assert.deepEqual(violationsBetween(then, now), []);
      }
  });

  it("that was changed a moment ago is InProgress, Progressing, whatever it was before", async () => {
    const object = {
      ...changed,
      metadata: { ...changed.metadata, generation: 3 },
      status: statusOf("converge", [ready]),
    };
    const { status } = await customizationOf("Environment").health(object);
    assert.deepEqual([kstatusOf(object), status], ["InProgress", "Progressing"]);
  });

  it("that is being deleted is Terminating, and says when it needs a person", async () => {
    const metadata = { ...changed.metadata, deletionTimestamp: new Date(T0).toISOString() };
    const status = statusOf("dismantle", [aVerdict("a", "Stalled", "CredentialsMissing")]);
    const object = { ...changed, metadata, status };
    assert.deepEqual(violationsOf(object), []);
    assert.equal(kstatusOf(object), "Terminating");
    assert.equal((await customizationOf("Environment").health(object)).status, "Degraded");
  });
});
