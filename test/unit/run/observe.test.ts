import assert from "node:assert/strict";
import type { Approval } from "../../../operator/api/approval.ts";
import { observeRun } from "../../../operator/run/observe.ts";
import type { RunPorts } from "../../../operator/run/ports.ts";
import { anEnvironment, aRun, T0 } from "../../fakes/objects.ts";
import { anApproval, DIGEST } from "../approval/approvals.ts";
import { aPod, begun, runSpec } from "./observations.ts";

const counts = { create: 1, update: 0, replace: 0, delete: 0 };
const waiting = aRun(
  runSpec({ rules: { approval: { required: 1, expiresAfter: "1h" } } }),
  begun({
    phase: "AwaitingApproval",
    heldAt: new Date(T0).toISOString(),
    plan: { digest: DIGEST, counts, resources: [], verdict: "Hold" },
  }),
);
const yes = anApproval({ run: { name: waiting.metadata.name, uid: waiting.metadata.uid } });

/** What is seen of a Run, and how often it was asked whether its plan still stands. */
async function seen(run: typeof waiting, approvals: readonly Approval[]) {
  let asked = 0;
  const ports = {
    now: () => new Date(T0 + 60_000),
    run: () => run,
    environment: () => anEnvironment([]),
    approvalsOf: () => approvals,
    standingOf() {
      asked += 1;
      return { type: "heldBack", why: "waits for network (Applying)" } as const;
    },
    pod: async () => undefined,
    node: async () => undefined,
    isOvertaken: () => false,
  } as unknown as RunPorts;
  const observation = await observeRun("team", run.metadata.name, ports, new AbortController().signal);
  return { standing: observation?.standing.type, asked };
}

describe("A Run that is closed", () => {
  it("is looked at without a request, although it remembers a pod that has gone: there are thousands of them", async () => {
    const run = aRun(runSpec(), begun({ phase: "Succeeded" }));
    const asked: unknown[] = [];
    const ports = {
      now: () => new Date(T0),
      run: () => run,
      environment: () => anEnvironment([]),
      // With a UID it is asked for where the cache does not have it.
      async pod(_namespace, _name, recordedUid) {
        if (recordedUid !== undefined) asked.push(recordedUid);
        return aPod();
      },
      node: async (name) => void asked.push(name),
    } as Partial<RunPorts> as RunPorts;
    await observeRun("team", run.metadata.name, ports, new AbortController().signal);
    assert.deepEqual(asked, []);
  });
});

describe("Whether a plan still stands", () => {
  it("is asked once it is approved, since the whole Environment has to be looked at for it, and not before", async () => {
    assert.deepEqual(await seen(waiting, [yes]), { standing: "heldBack", asked: 1 });
    assert.deepEqual(await seen(waiting, []), { standing: "stands", asked: 0 });
  });

  it("is not asked of a Run whose plan does not wait", async () => {
    assert.deepEqual(await seen(aRun(waiting.spec, begun()), [yes]), { standing: "stands", asked: 0 });
  });
});
