import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { type RunStatus, UNSAVED_STATE_STEP } from "../../../operator/api/run-status.ts";
import { act } from "../../../operator/run/act.ts";
import { decideRun } from "../../../operator/run/decide.ts";
import type { RunPorts } from "../../../operator/run/ports.ts";
import { reconcileRun } from "../../../operator/run/reconcile.ts";
import { statusAfter } from "../../../operator/run/status.ts";
import { endRun, hasReported, type RunEnd } from "../../../operator/storage/run-end.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { aRecord, T0 } from "../../fakes/objects.ts";
import { aNode, aPod, begun, type ObservationFacts, observation, POD_UID } from "./observations.ts";

const MINUTE = 60_000;
/** The end of the pod's grace, and the moment from which on somebody is asked. */
const ENDS = T0 + 15 * MINUTE;
const LOST = ENDS + 5 * MINUTE;

const at = (ms: number) => new Date(ms).toISOString();
const leaving = { metadata: { deletionTimestamp: at(ENDS) } };
const applying = begun({ phase: "Applying", applyStartedAt: at(T0) });
const lostNode = aNode(["node.kubernetes.io/unreachable"]);
const seen = (more: ObservationFacts = {}) =>
  observation({ status: applying, pod: aPod(leaving), node: lostNode, nowMs: LOST, ...more });

/** The store knows whether the pod was told to apply. Whatever else is looked up or given up fails the test. */
const storeThatSays = (end: RunEnd): RunPorts =>
  ({
    heldSince: async () => undefined,
    hasReported: async () => false,
    endRun: async () => end,
  }) as Partial<RunPorts> as RunPorts;
const mayBeApplying = { type: "mayBeApplying", podUid: POD_UID } as RunEnd;

async function statusOf(facts: ObservationFacts = {}, end: RunEnd = mayBeApplying): Promise<RunStatus> {
  const observed = seen(facts);
  const acted = await act(observed.run, decideRun(observed), storeThatSays(end), new AbortController().signal);
  return statusAfter(observed, acted, new Date(LOST)) ?? assert.fail(acted.type);
}

const reasonOf = ({ conditions = [] }: RunStatus, type: string) =>
  conditions.filter((one) => one.type === type).map(({ status, reason }) => `${status} ${reason}`)[0];

describe("A pod that was asked to end", () => {
  it("is looked at when it should have ended, and some minutes later", () => {
    const decision = decideRun(seen({ nowMs: LOST - 1 }));
    assert.equal(decision.type === "wait" && decision.wakeAtMs, LOST);
    assert.match(decision.type === "wait" ? decision.message : "", /the engine finishes and saves its state/);
  });

  it("brings its Run back at that moment, whatever else happens", async () => {
    const { run } = seen();
    const ports = {
      now: () => new Date(LOST - MINUTE),
      run: () => run,
      environment: () => undefined,
      pod: async () => aPod(leaving),
      node: async () => lostNode,
      freePlaces: () => 1,
      writeStatus: async () => true,
    } as Partial<RunPorts> as RunPorts;
    const outcome = await reconcileRun("team", run.metadata.name, ports, new AbortController().signal);
    assert.deepEqual(outcome, { type: "waiting", afterMs: MINUTE });
  });

  it("and of which nobody knows whether it has is a person's business; nothing of it is given up", async () => {
    const status = await statusOf();
    assert.deepEqual([status.phase, status.unprovenPod, status.finishedAt], ["Applying", POD_UID, undefined]);
    assert.equal(reasonOf(status, "Succeeded"), "Unknown ProofOfDeathMissing");
    assert.equal(reasonOf(status, "Stalled"), "True ProofOfDeathMissing");
    assert.equal(reasonOf(status, "Reconciling"), "False ProofOfDeathMissing");
  });

  it("is told with its node, what would be proof, and the word that a person can give", async () => {
    const { message = "" } = await statusOf();
    assert.match(message, /^node node-1 does not say that the pod has ended: .*delete the Node or taint it/);
    assert.match(message, /node\.kubernetes\.io\/out-of-service; otherwise make sure/);
    assert.match(message, new RegExp(`kubectl annotate run .* terrarium.dev/confirm-dead=${POD_UID}$`));
  });

  it("and which the Run says is applying is not given up where the store knows nothing of that: it may have lost it", async () => {
    const status = await statusOf({}, { type: "fenced", record: undefined });
    assert.equal(reasonOf(status, "Stalled"), "True ProofOfDeathMissing");
    assert.equal(status.outcome, undefined);
  });

  for (const result of ["Applied", "Failed", "Interrupted"] as const)
    it(`and whose result ${result} is in the store has ended, unless its engine may be at work, whatever its Run says`, async () => {
      const observed = seen();
      const { name, uid } = observed.run.metadata;
      const by = { run: name, runUid: uid, pod: "the-pod", podUid: POD_UID };
      const outcome = { result, reason: result, message: "", stateSerial: 3 };
      const store = memoryStore();
      const record = aRecord("network");
      const claim = { ...by, number: 4, phase: "Plan", applying: { planDigest: "d", at: at(T0) }, at: at(T0) } as const;
      store.seed({ ...record, claim, lastResult: { ...by, at: at(T0), outcome } });
      const run = { name, uid, number: 4, operation: "Apply", environmentUid: "env-uid" } as const;
      const ports = {
        heldSince: async () => undefined,
        hasReported: async () => hasReported((await store.record(record.key))?.value ?? assert.fail(), uid),
        endRun: (_run, end) => endRun(store, record.key, run, end, new Date(LOST)),
      } as Partial<RunPorts> as RunPorts;
      const acted = await act(observed.run, decideRun(observed), ports, new AbortController().signal);
      if (result === "Interrupted") assert.equal(acted.type, "unproven");
      else assert.deepEqual(acted, { type: "closed", outcome });
    });

  it("and was not told to apply never will be: its Run is over, and is tried again", async () => {
    for (const state of ["running", "waiting"] as const) {
      const pod = aPod({ ...leaving, states: [state, state] });
      const status = await statusOf(
        { status: begun({ phase: "Starting" }), pod },
        { type: "fenced", record: undefined },
      );
      const { result, reason, message, retry } = status.outcome ?? assert.fail(state);
      assert.deepEqual([result, reason, retry], ["Failed", "RunnerLost", "Backoff"]);
      assert.match(message, /^nothing was applied, and the pod may not begin any more: node node-1 does not say/);
    }
  });

  const told = { ...applying, unprovenPod: POD_UID, message: "node node-1 does not say that the pod has ended" };

  for (const [proof, facts] of Object.entries<ObservationFacts>({
    "its node is gone": { node: undefined },
    "its node is out of service": { node: aNode(["node.kubernetes.io/out-of-service"]) },
    "its node is back, and says that it has ended": { pod: aPod({ ...leaving, states: ["terminated", "terminated"] }) },
    "a person says so": { annotations: { [ANNOTATIONS.confirmDead]: POD_UID } },
  }))
    it(`goes on by itself when the proof comes after all: ${proof}`, () => {
      const decision = decideRun(seen({ status: told, ...facts }));
      assert.equal(decision.type === "closeDead" && decision.proven && decision.podUid, POD_UID);
    });

  it("and tells its result after all closes its Run with it", () => {
    const outcome = { result: "Applied", reason: "Applied", message: "" } as const;
    assert.equal(decideRun(seen({ status: { ...told, outcome } })).type, "close");
  });

  it("did not fail to start because nobody could tell what became of it", () => {
    const { applyStartedAt: _never, ...status } = { ...told, phase: "Starting" as const };
    const decision = decideRun(
      seen({ status, pod: aPod({ ...leaving, states: ["waiting", "waiting"] }), node: undefined }),
    );
    assert.equal(decision.type === "closeDead" && decision.trouble, undefined);
  });

  it("is not lost while it says that a state is only in it", () => {
    const unsaved = { step: UNSAVED_STATE_STEP, updatedAt: at(T0) };
    for (const nowMs of [ENDS, LOST, LOST + 600 * MINUTE]) {
      const decision = decideRun(seen({ status: { ...applying, progress: unsaved }, nowMs }));
      assert.match(
        decision.type === "wait" ? decision.message : decision.type,
        /^a state is only in this pod.*node-1$/,
      );
    }
    assert.equal(decideRun(seen({ status: { ...applying, progress: { ...unsaved, step: "apply" } } })).type, "lost");
  });
});
