import assert from "node:assert/strict";
import type { Approval } from "../../../operator/api/approval.ts";
import { FINALIZERS } from "../../../operator/api/names.ts";
import { observeRun } from "../../../operator/run/observe.ts";
import type { RunPorts } from "../../../operator/run/ports.ts";
import { aComponent, anEnvironment, aRun, T0 } from "../../fakes/objects.ts";
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
    environment: () => anEnvironment([aComponent("network")]),
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
  const pods = ["p", "a"].map((suffix) => ({
    name: `${waiting.metadata.name}-${suffix}`,
    uid: `uid-${suffix}`,
    createdAt: new Date(T0).toISOString(),
  }));
  const status = { ...waiting.status, observedGeneration: 1, phase: "Succeeded", pods } as const;

  /** UIDs by which pods, and names by which nodes are asked for where the caches do not have them. */
  async function asked(finalizers: string[]) {
    const run = aRun(waiting.spec, status, { finalizers });
    const uids: unknown[] = [];
    const ports = {
      now: () => new Date(T0),
      run: () => run,
      environment: () => anEnvironment([aComponent("network")]),
      approvalsOf: () => [],
      async pod(_namespace, _name, recordedUid) {
        if (recordedUid !== undefined) uids.push(recordedUid);
        return aPod();
      },
      node: async (name) => void uids.push(name),
    } as Partial<RunPorts> as RunPorts;
    await observeRun("team", run.metadata.name, ports, new AbortController().signal);
    return uids.toSorted();
  }

  it("is let go only after both of its pods were looked for where they are, and not in the cache alone", async () => {
    assert.deepEqual(await asked([FINALIZERS.run]), ["uid-a", "uid-p"]);
  });

  it("and was let go, is looked at without a request, although it remembers its pods: there are thousands of them", async () => {
    assert.deepEqual(await asked([]), []);
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
