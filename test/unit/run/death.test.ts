import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { deathOf } from "../../../operator/run/death.ts";
import { aNode, aPod, type ObservationFacts, observation, POD_UID } from "./observations.ts";

const leaving = { deletionTimestamp: "2026-01-01T00:00:00Z" };

interface Row {
  readonly when: string;
  readonly facts: ObservationFacts;
  readonly shown: "alive" | "dead" | "unproven";
  readonly how?: RegExp;
}

const rows: readonly Row[] = [
  { when: "its containers run", facts: {}, shown: "alive" },
  {
    when: "every container has ended",
    facts: { pod: aPod({ states: ["terminated", "terminated"] }) },
    shown: "dead",
    how: /all of its containers have ended/,
  },
  {
    when: "the kubelet has evicted it, and every container has ended",
    facts: {
      pod: aPod({
        states: ["terminated", "terminated"],
        reason: "Evicted",
        message: "The node was low on resource: x.",
      }),
    },
    shown: "dead",
    how: /all of its containers have ended; the kubelet says Evicted: The node was low on resource: x\./,
  },
  {
    when: "one container of two has ended (the agent may be restarted, the engine may write)",
    facts: { pod: aPod({ states: ["terminated", "running"] }) },
    shown: "alive",
  },
  {
    when: "one of two containers has no status at all",
    facts: { pod: aPod({ states: ["terminated"] }) },
    shown: "alive",
  },
  {
    when: "the phase is Failed and the containers still run: evicted or lost, processes may live on",
    facts: { pod: aPod({ phase: "Failed" }) },
    shown: "alive",
  },
  {
    when: "the phase is Failed and there is no container status",
    facts: { pod: aPod({ phase: "Failed", states: [] }) },
    shown: "alive",
  },
  {
    when: "the phase is Unknown, since its kubelet is silent",
    facts: { pod: aPod({ phase: "Unknown" }), node: aNode(["node.kubernetes.io/unreachable"]) },
    shown: "alive",
  },
  { when: "its node is gone", facts: { node: undefined }, shown: "dead", how: /node node-1 is gone/ },
  {
    when: "its node is out of service",
    facts: { node: aNode(["node.kubernetes.io/out-of-service"]) },
    shown: "dead",
    how: /out of service/,
  },
  { when: "it was asked to end, and runs", facts: { pod: aPod({ metadata: leaving }) }, shown: "alive" },
  {
    when: "its deletion was forced, and its finalizer keeps an object whose containers run",
    facts: { pod: aPod({ metadata: { ...leaving, deletionGracePeriodSeconds: 0 } }) },
    shown: "alive",
  },
  {
    when: "its deletion was forced, and its containers have ended",
    facts: {
      pod: aPod({ metadata: { ...leaving, deletionGracePeriodSeconds: 0 }, states: ["terminated", "terminated"] }),
    },
    shown: "dead",
  },
  {
    when: "it was never scheduled",
    facts: { pod: aPod({ node: undefined, states: [] }), node: undefined },
    shown: "alive",
  },
  {
    when: "it was deleted before it was given to a node",
    facts: { pod: aPod({ node: undefined, states: [], metadata: leaving }), node: undefined },
    shown: "dead",
    how: /before it was given to a node/,
  },
  { when: "its object is gone", facts: { pod: undefined, node: undefined }, shown: "unproven" },
  {
    when: "another pod has its name",
    facts: { pod: aPod({ metadata: { uid: "another" }, states: ["terminated", "terminated"] }) },
    shown: "unproven",
  },
  {
    when: "its object is gone, and a person says that it is dead",
    facts: { pod: undefined, annotations: { [ANNOTATIONS.confirmDead]: POD_UID } },
    shown: "dead",
    how: /a person confirmed/,
  },
  {
    when: "its object is gone, and a person has said that of another pod",
    facts: { pod: undefined, annotations: { [ANNOTATIONS.confirmDead]: "another" } },
    shown: "unproven",
  },
  {
    when: "a person has said that a pod before it is dead",
    facts: { annotations: { [ANNOTATIONS.confirmDead]: "another" } },
    shown: "alive",
  },
  {
    when: "a person says that something is dead, and not what",
    facts: { annotations: { [ANNOTATIONS.confirmDead]: "true" } },
    shown: "alive",
  },
];

describe("A Run's pod", () => {
  for (const { when, facts, shown, how } of rows) {
    it(`is ${shown} when ${when}`, () => {
      const death = deathOf(observation(facts), POD_UID);
      assert.equal(death.type, shown);
      if (how !== undefined) assert.match(death.type === "dead" ? death.how : "", how);
    });
  }

  it("is alive while the kubelet will start its agent again: what is in the spool is not lost", () => {
    const between = aPod({ states: ["terminated", "terminated"], phase: "Running" });
    assert.equal(deathOf(observation({ pod: between }), POD_UID).type, "alive");
  });

  it("is dead when its machine was restarted: the kubelet starts nothing in it again, and leaves it Running", () => {
    const conditions = [{ type: "PodReadyToStartContainers", status: "False" }];
    const left = (states: readonly ["terminated", "terminated" | "running"]) =>
      deathOf(observation({ pod: aPod({ states, phase: "Running", conditions }) }), POD_UID).type;
    assert.equal(left(["terminated", "terminated"]), "dead");
    assert.equal(left(["terminated", "running"]), "alive");
  });

  it("that ran out of memory says so", () => {
    const death = deathOf(observation({ pod: aPod({ states: ["terminated", "OOMKilled"] }) }), POD_UID);
    assert.equal(death.type === "dead" && death.outOfMemory, true);
  });

  it("is proven of one pod, and said of one", () => {
    const ended = deathOf(observation({ pod: aPod({ states: ["terminated", "terminated"] }) }), POD_UID);
    assert.equal(ended.type === "dead" && ended.podUid, POD_UID);
    const said = deathOf(observation({ annotations: { [ANNOTATIONS.confirmDead]: POD_UID } }), POD_UID);
    assert.equal(said.type === "dead" && said.podUid, POD_UID);
  });
});
