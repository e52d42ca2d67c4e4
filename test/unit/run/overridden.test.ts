import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { Run, RunSpec } from "../../../operator/api/run.ts";
import type { RunStatus } from "../../../operator/api/run-status.ts";
import type { Window } from "../../../operator/api/time.ts";
import type { RunPorts } from "../../../operator/run/ports.ts";
import { reconcileRun } from "../../../operator/run/reconcile.ts";
import { aComponent, anEnvironment, aRun, T0 } from "../../fakes/objects.ts";
import { anApproval, DIGEST } from "../approval/approvals.ts";
import { aNode, aPod, begun, runSpec } from "./observations.ts";

const REASON = "the shop is down";
const nights: Window = { name: "nights", type: "Allow", schedule: "0 22 * * *", duration: "2h", timeZone: "UTC" };
const approval = { rules: { approval: { required: 1, expiresAfter: "1h" } } } as const;
const held = begun({
  phase: "AwaitingApproval",
  heldAt: new Date(T0).toISOString(),
  plan: { digest: DIGEST, counts: { create: 1, update: 0, replace: 0, delete: 0 }, resources: [], verdict: "Hold" },
});

interface Facts {
  readonly spec?: Partial<RunSpec>;
  readonly status?: RunStatus;
  readonly approvals?: number;
  readonly windows?: readonly Window[];
  readonly places?: number;
}

/** A Run at midnight, with a person's reason for going on. What a round does is told, and what it notes is kept. */
function aRound({ spec = {}, status = held, approvals = 1, windows = [nights], places = 1 }: Facts = {}) {
  const told: string[] = [];
  let run: Run = aRun(runSpec({ ...approval, ...spec }), status);
  const environment = anEnvironment([aComponent("network")], {
    spec: { windows: [...windows] },
    metadata: { annotations: { [ANNOTATIONS.windowOverride]: REASON } },
  });
  const ports = {
    now: () => new Date(T0),
    run: () => run,
    environment: () => environment,
    approvalsOf: ({ metadata: { name, uid } }) => (approvals === 0 ? [] : [anApproval({ run: { name, uid } })]),
    standingOf: () => ({ type: "stands" }),
    isOvertaken: () => false,
    pod: async () => (status === held ? undefined : aPod()),
    node: async () => aNode(),
    freePlaces: () => places,
    async makePod() {
      told.push("makes the pod");
      return { type: "made", pod: aPod({ metadata: { name: "network-4-apply" } }) };
    },
    deleteEarlierPods: async () => {},
    async noteOverride({ metadata, ...rest }, _environment, reason) {
      told.push(`notes: ${reason}`);
      run = { ...rest, metadata: { ...metadata, annotations: { [ANNOTATIONS.outsideWindows]: reason } } };
    },
    writeStatus: async () => true,
  } as Partial<RunPorts> as RunPorts;
  const look = () => reconcileRun("team", run.metadata.name, ports, new AbortController().signal);
  return { told, look };
}

async function toldAfterTwoRounds(facts: Facts): Promise<readonly string[]> {
  const { told, look } = aRound(facts);
  await look();
  await look();
  return told;
}

describe("A Run that goes on outside of the windows, since a person says why", () => {
  it("has the reason in its record, once, before the plan that waits is applied", async () => {
    const { told, look } = aRound();
    await look();
    assert.deepEqual(told, [`notes: ${REASON}`]);
    await look();
    assert.deepEqual(told, [`notes: ${REASON}`, "makes the pod"]);
  });

  it("has it in its record, too, where its plan was still being made when the window closed", async () => {
    assert.deepEqual(await toldAfterTwoRounds({ status: begun() }), [`notes: ${REASON}`]);
  });

  it("needs no further note where it was made for that reason: its cause has it", async () => {
    const cause = { type: "SpecChanged", detail: `changed: source; outside of the windows: ${REASON}` } as const;
    assert.deepEqual((await toldAfterTwoRounds({ spec: { cause } }))[0], "makes the pod");
  });

  it("has none while its plan waits for people or for a place, or where it goes on within a window", async () => {
    assert.deepEqual(await toldAfterTwoRounds({ approvals: 0 }), []);
    assert.deepEqual(await toldAfterTwoRounds({ places: 0 }), []);
    assert.deepEqual((await toldAfterTwoRounds({ windows: [] }))[0], "makes the pod");
  });

  it("has none where it is being applied: that was begun within a window", async () => {
    const applying = begun({ phase: "Applying", applyStartedAt: new Date(T0).toISOString() });
    assert.deepEqual(await toldAfterTwoRounds({ status: applying }), []);
  });
});
