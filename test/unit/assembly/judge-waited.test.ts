import assert from "node:assert/strict";
import type { ApprovalRules } from "../../../operator/api/approval.ts";
import type { Environment } from "../../../operator/api/environment.ts";
import { ANNOTATIONS, LABELS } from "../../../operator/api/names.ts";
import type { Run } from "../../../operator/api/run.ts";
import { judgeFor } from "../../../operator/assembly/judge.ts";
import { ENVIRONMENTS, RUNS } from "../../../operator/cluster/resources.ts";
import { podName } from "../../../operator/run/pod.ts";
import { fakeKubeClient } from "../../fakes/kube-client.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { aComponent, anEnvironment, CATALOGUE, T0 } from "../../fakes/objects.ts";
import { aPlanReport } from "../approval/plans.ts";
import { aStory } from "../environment/story.ts";

const approval: ApprovalRules = { required: 1, unless: "plan.delete == 0", planExpiresAfter: "24h" };
const network = aComponent("network");
const app = aComponent("app", { needs: ["network"], approval });

type Story = ReturnType<typeof aStory>;

/** A component whose plan has waited; nobody leads, so nothing on its Run says what happens from now on. */
function aPlanThatWaited(environment: Environment, component = "app"): { readonly story: Story; readonly run: Run } {
  const story = aStory(environment);
  for (const needed of environment.spec.components.filter(({ name }) => name !== component)) {
    story.round();
    story.handOver(needed.name, 1);
    story.end(needed.name, "Applied");
  }
  story.round();
  return { story, run: withSecondPod(story.hold(component)) };
}

/** It has been approved, and the pod that is to apply it is there and at work: that much its status tells before the gateway is asked. */
function withSecondPod(run: Run): Run {
  const pods = [{ name: podName(run, "Apply"), uid: "second", createdAt: new Date(T0).toISOString() }];
  return { ...run, status: { ...run.status, observedGeneration: 1, phase: "Applying", pods } };
}

/** Asks as the gateway does, of an API server and a store on which everything is as the story has it. */
async function judged(story: Story, run: Run) {
  const client = fakeKubeClient();
  const store = memoryStore();
  client.seed(ENVIRONMENTS, story.environment() as never);
  for (const one of story.runs()) {
    const labels = { [LABELS.environmentUid]: one.spec.environment.uid, [LABELS.component]: one.spec.component };
    client.seed(RUNS, { ...one, metadata: { ...one.metadata, labels } } as never);
  }
  for (const record of story.records.values()) store.seed(record);
  const reads: string[] = [];
  store.faults.before = (call) => void reads.push(`store ${call}`);
  const judge = judgeFor({
    client,
    store,
    clock: { now: () => new Date(story.now()) },
    evaluate: () => assert.fail("its rules were asked when it was made"),
    catalogue: CATALOGUE,
  });
  const verdict = await judge(aPlanReport(), run, {
    phase: "Apply",
    record: story.records.get(run.spec.component),
    signal: new AbortController().signal,
  });
  return { verdict, requests: [...client.calls, ...reads].map((call) => call.trim()) };
}

const edited = (change: Partial<Environment["spec"]>) => (story: Story) =>
  story.edit((environment) => ({ ...environment, spec: { ...environment.spec, ...change } }));
const sized = (size: number) => ({ path: ".", variables: [{ name: "size", value: size }] });

describe("A plan that waited, when its apply is to begin", () => {
  const environment = anEnvironment([network, app], { spec: { protect: ["*"] } });

  it("goes on to the count of approvals where everything is as it was, and its rules are not asked again", async () => {
    const { story, run } = aPlanThatWaited(environment);
    assert.equal((await judged(story, run)).verdict.verdict, "Hold");
  });

  const changes: readonly [what: string, change: (story: Story) => void, reason: string, message: RegExp][] = [
    [
      "a variable was edited",
      edited({ components: [network, { ...app, terraform: sized(2) }] }),
      "Superseded",
      /variable size/,
    ],
    [
      "more people have to be asked now",
      edited({ components: [network, { ...app, approval: { ...approval, required: 2 } }] }),
      "Superseded",
      /rules for plans/,
    ],
    ["something else is protected now", edited({ protect: ["a.b"] }), "Superseded", /rules for plans/],
    ["fewer deletions are allowed now", edited({ maxDeletes: 1 }), "Superseded", /rules for plans/],
    ["it is not declared any more", edited({ components: [network] }), "Superseded", /no longer declared/],
    [
      "a fresh plan was asked for",
      (story) => story.annotate({ [ANNOTATIONS.requestedAt]: "now" }),
      "Superseded",
      /requestedAt=now/,
    ],
    ["the Environment is deleted", (story) => story.delete(), "Destroying", /deleted/],
  ];
  for (const [what, change, reason, message] of changes) {
    it(`is refused where ${what} while nobody led`, async () => {
      const { story, run } = aPlanThatWaited(environment);
      change(story);
      const { verdict } = await judged(story, run);
      assert.deepEqual([verdict.verdict, verdict.reason], ["Refuse", reason]);
      assert.match(verdict.message, message);
    });
  }

  it("is not to be begun now where it was suspended while nobody led", async () => {
    const { story, run } = aPlanThatWaited(environment);
    edited({ suspend: true })(story);
    const { verdict } = await judged(story, run);
    assert.deepEqual([verdict.verdict, verdict.reason], ["Hold", "Suspended"]);
  });

  it("is refused where a person has asked for the end of its Run", async () => {
    const { story, run } = aPlanThatWaited(environment);
    story.annotate({ [ANNOTATIONS.cancel]: run.metadata.name });
    const { verdict } = await judged(story, run);
    assert.deepEqual([verdict.verdict, verdict.reason], ["Refuse", "Cancelled"]);
  });

  it("is refused where that was heard, and is not asked for any more", async () => {
    const { story, run } = aPlanThatWaited(environment);
    const status = { ...run.status, observedGeneration: 1, cancelRequestedAt: new Date(T0).toISOString() };
    const { verdict } = await judged(story, { ...run, status });
    assert.deepEqual([verdict.verdict, verdict.reason], ["Refuse", "Cancelled"]);
  });

  it("is not refused for an edit that does not concern it", async () => {
    const { story, run } = aPlanThatWaited(environment);
    edited({ retry: { limit: 2 }, components: [network, app, aComponent("other")] })(story);
    assert.equal((await judged(story, run)).verdict.verdict, "Hold");
  });

  it("is refused while what it needs is not applied as declared", async () => {
    const { story, run } = aPlanThatWaited(environment);
    edited({ components: [{ ...network, terraform: sized(2) }, app] })(story);
    const { verdict } = await judged(story, run);
    assert.deepEqual([verdict.verdict, verdict.reason], ["Refuse", "Superseded"]);
    assert.match(verdict.message, /waits for network \(Pending\)/);
  });

  it("is refused while a Run of what it needs is open, whatever the record says", async () => {
    const { story, run } = aPlanThatWaited(environment);
    const { network: last } = Object.fromEntries(story.runs().map((one) => [one.spec.component, one]));
    assert.ok(last !== undefined);
    const { status: _ended, ...open } = last;
    story.putRun({
      ...open,
      metadata: { ...open.metadata, name: "shop-network-2", uid: "network-2" },
      spec: { ...open.spec, number: 2 },
    });
    const { verdict } = await judged(story, run);
    assert.match(verdict.message, /waits for network \(Pending\)/);
  });

  it("is refused where what it needs has been changed and is settled again", async () => {
    const { story, run } = aPlanThatWaited(environment);
    story.handOver("network", 5);
    const { verdict } = await judged(story, run);
    assert.deepEqual([verdict.verdict, verdict.reason], ["Refuse", "Superseded"]);
    assert.match(
      verdict.message,
      /network has been changed since: Run shop-network-5 took its state from serial 1 to 5/,
    );
  });

  it("costs one look at its Environment, and two more where it needs other components", async () => {
    const lonely = aPlanThatWaited(anEnvironment([{ ...network, approval }]), "network");
    assert.deepEqual((await judged(lonely.story, lonely.run)).requests, ["get environments shop"]);
    const { story, run } = aPlanThatWaited(environment);
    const { requests } = await judged(story, run);
    assert.deepEqual(requests, ["get environments shop", "list runs", "store recordsOf"]);
  });
});

describe("A proposal to correct what has drifted, when its apply is to begin", () => {
  it("goes on to the count of approvals, and is refused where drift is only to be reported by then", async () => {
    const drift = { interval: "1h", action: "Propose", ignore: [] } as const;
    const watched = { ...network, drift: { ...drift, ignore: [] } };
    const story = aStory(anEnvironment([watched]));
    story.round();
    story.end("network", "Applied");
    story.pass(2 * 3_600_000);
    story.round();
    story.endCheck("network", "Drifted");
    story.round();
    const run = withSecondPod(story.hold("network"));
    assert.equal((await judged(story, run)).verdict.verdict, "Hold");
    edited({ components: [{ ...network, drift: { interval: "1h", action: "Report", ignore: [] } }] })(story);
    const { verdict } = await judged(story, run);
    assert.deepEqual([verdict.verdict, verdict.reason], ["Refuse", "Superseded"]);
  });
});

describe("A destroy that waited, when it is to begin", () => {
  const asking = anEnvironment([network, aComponent("other")], { spec: { approval } });

  /** `network` is not declared any more, and the plan to destroy it waits. */
  function aDestroyThatWaited() {
    const story = aStory(asking);
    story.settle();
    edited({ components: [aComponent("other")] })(story);
    story.round();
    const run = withSecondPod(story.hold("network"));
    assert.equal(run.spec.operation, "Destroy");
    return { story, run };
  }

  it("goes on to the count of approvals where everything is as it was", async () => {
    const { story, run } = aDestroyThatWaited();
    assert.equal((await judged(story, run)).verdict.verdict, "Hold");
  });

  const changes: readonly [what: string, change: Partial<Environment["spec"]>, reason: string][] = [
    ["what exists is to be kept", { deletionPolicy: "Retain" }, "Superseded"],
    ["it is declared again", { components: [network, aComponent("other")] }, "Superseded"],
    ["more people have to be asked", { approval: { ...approval, destroy: { required: 2 } } }, "Superseded"],
    ["something is protected", { protect: ["a.b"] }, "Superseded"],
  ];
  for (const [what, change, reason] of changes) {
    it(`is refused where ${what} by then`, async () => {
      const { story, run } = aDestroyThatWaited();
      edited(change)(story);
      const { verdict } = await judged(story, run);
      assert.deepEqual([verdict.verdict, verdict.reason], ["Refuse", reason]);
    });
  }

  it("is not to be begun now where it is suspended by then", async () => {
    const { story, run } = aDestroyThatWaited();
    edited({ suspend: true })(story);
    const { verdict } = await judged(story, run);
    assert.deepEqual([verdict.verdict, verdict.reason], ["Hold", "Suspended"]);
  });

  it("goes on although the Environment is deleted", async () => {
    const { story, run } = aDestroyThatWaited();
    story.delete();
    assert.equal((await judged(story, run)).verdict.verdict, "Hold");
  });
});
