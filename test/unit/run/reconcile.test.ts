import assert from "node:assert/strict";
import type { Run } from "../../../operator/api/run.ts";
import { planStanding } from "../../../operator/environment/plan-standing.ts";
import type { Outcome } from "../../../operator/loop/outcome.ts";
import type { ObservedPod } from "../../../operator/run/observation.ts";
import type { PodMade, RunPorts } from "../../../operator/run/ports.ts";
import { reconcileRun } from "../../../operator/run/reconcile.ts";
import { aComponent, anEnvironment, aRun, T0 } from "../../fakes/objects.ts";
import { anApproval, DIGEST } from "../approval/approvals.ts";
import { aStory } from "../environment/story.ts";
import { aNode, aPod, begun, runSpec } from "./observations.ts";

const approval = { rules: { approval: { required: 1, expiresAfter: "1h" } } } as const;
const held = begun({
  phase: "AwaitingApproval",
  heldAt: new Date(T0).toISOString(),
  plan: { digest: DIGEST, counts: { create: 1, update: 0, replace: 0, delete: 0 }, resources: [], verdict: "Hold" },
});
const kinds: Readonly<Record<string, (component: string, number: number) => Run>> = {
  "that are new": (component, number) => aRun(runSpec({ component, number })),
  "that only look": (component, number) => aRun(runSpec({ component, number, operation: "Check" })),
  "whose plans are approved": (component, number) => aRun(runSpec({ component, number, ...approval }), held),
};

const components = ["network", "database", "cache", "api", "web"];

/** A world in which everything that is looked up takes a moment, and so many pods may be made. */
function aWorld(kind: (component: string, number: number) => Run, limit: number) {
  const made: string[] = [];
  const told = new Map<string, string | undefined>();
  const runs = new Map<string, Run>(
    components.map((component, at) => {
      const run = kind(component, at + 1);
      return [run.metadata.name, run];
    }),
  );
  const ports = {
    now: () => new Date(T0),
    run: (_namespace, name) => runs.get(name),
    environment: () => anEnvironment(components.map((component) => aComponent(component))),
    approvalsOf: ({ metadata: { name, uid } }) => [anApproval({ run: { name, uid } })],
    standingOf: () => ({ type: "stands" }),
    isOvertaken: () => false,
    pod: async () => undefined,
    freePlaces: () => limit - made.length,
    async makePod(run) {
      made.push(run.metadata.name);
      return { type: "made", pod: aPod({ metadata: { name: run.metadata.name } }) };
    },
    deleteEarlierPods: async () => {},
    async writeStatus(run, { message }) {
      told.set(run.metadata.name, message);
      return true;
    },
  } as Partial<RunPorts> as RunPorts;
  return { made, told, names: [...runs.keys()], ports };
}

describe("The rounds of several Runs at the same time", () => {
  for (const [which, kind] of Object.entries(kinds))
    it(`${which} take no more places than there are`, async () => {
      const { made, told, names, ports } = aWorld(kind, 2);
      await Promise.all(names.map((name) => reconcileRun("team", name, ports, new AbortController().signal)));
      assert.deepEqual(made, names.slice(0, 2));
      for (const name of names.slice(2)) assert.match(told.get(name) ?? "waits for a free place", /for a free place/);
    });
});

describe("A Run whose pod cannot be made now", () => {
  it("says so, and is tried again with growing pauses", async () => {
    const { told, names, ports } = aWorld((component, number) => aRun(runSpec({ component, number })), 1);
    const error = new Error("read tcp 10.0.0.4:53512: connection reset by peer");
    const makePod = async () => ({ type: "hindered", webhook: "pods.example.com", error }) as const;
    const outcome = await reconcileRun("team", names[0] ?? "", { ...ports, makePod }, new AbortController().signal);
    assert.deepEqual(outcome, { type: "failed", error });
    const said = told.get(names[0] ?? "") ?? "";
    assert.match(said, /is tried again: the webhook pods\.example\.com does not answer$/);
  });
});

describe("An approved plan whose pod cannot be made", () => {
  /** Six rounds of a Run of `a` that everybody agrees to, each of which sees what the one before has written. */
  async function rounds(answer: PodMade, isDeleted: boolean) {
    const approval = { required: 1, planExpiresAfter: "24h" };
    const story = aStory(anEnvironment([aComponent("a")]));
    if (isDeleted) story.settle();
    story.edit(({ spec, ...environment }) => ({ ...environment, spec: { ...spec, approval } }));
    if (isDeleted) story.delete();
    story.round();
    const { name, uid } = story.hold("a").metadata;
    const now = () => story.runs().find(({ metadata }) => metadata.uid === uid) ?? assert.fail(name);
    const written: (string | undefined)[] = [];
    const outcomes: Outcome["type"][] = [];
    const ports = {
      now: () => new Date(story.now()),
      run: now,
      environment: story.environment,
      approvalsOf: () => [anApproval({ run: { name, uid }, planDigest: now().status?.plan?.digest ?? "" })],
      standingOf: (run) => planStanding(story.observation(), run),
      isOvertaken: () => false,
      pod: async () => undefined,
      freePlaces: () => 1,
      makePod: async () => answer,
      async writeStatus(run, status) {
        const after = { ...run.status, ...status };
        if (JSON.stringify(after) === JSON.stringify(run.status)) return false;
        story.tell(run, after);
        written.push(after.conditions?.find(({ type }) => type === "Succeeded")?.reason);
        return true;
      },
    } as Partial<RunPorts> as RunPorts;
    for (let round = 0; round < 6; round += 1)
      outcomes.push((await reconcileRun("team", name, ports, new AbortController().signal)).type);
    return { operation: now().spec.operation, written, outcomes, says: story.verdict("a").reason };
  }

  const answers: readonly (readonly [string, PodMade])[] = [
    ["ForeignPod", { type: "foreign", name: "shop-a-a" }],
    ["RightMissing", { type: "rightMissing", message: "pods is forbidden" }],
  ];
  for (const [reason, answer] of answers)
    for (const operation of ["Apply", "Destroy"])
      it(`says so once, and is tried again with growing pauses (${operation}, ${reason})`, async () => {
        const seen = await rounds(answer, operation === "Destroy");
        const outcomes = Array(6).fill("failed");
        assert.deepEqual(seen, { operation, written: [reason], outcomes, says: reason });
      });
});

describe("A Run that waits for a moment", () => {
  async function nextLookOf(kind: (component: string, number: number) => Run, places: number) {
    const { names, ports } = aWorld(kind, places);
    const nobody = { ...ports, approvalsOf: () => [] };
    const outcome = await reconcileRun("team", names[0] ?? "", nobody, new AbortController().signal);
    return outcome.type === "waiting" ? outcome.afterMs : assert.fail(outcome.type);
  }

  it("is looked at every ten minutes, also where its plan waits for people: the clock may have been set", async () => {
    assert.equal(
      await nextLookOf((component, number) => aRun(runSpec({ component, number, ...approval }), held), 1),
      600_000,
    );
  });

  for (const [which, kind] of Object.entries(kinds).slice(0, 2))
    it(`looks each minute for a place that was given back, which nothing tells (of those ${which})`, async () => {
      assert.equal(await nextLookOf(kind, 0), 60_000);
    });
});

describe("The pods of a Run that somebody has taken away by force", () => {
  async function released(pods: readonly ObservedPod[], gone = true) {
    const done: string[] = [];
    const asked: string[] = [];
    const ports = {
      run: () => undefined,
      podsOf: () => pods,
      node: async () => aNode(),
      async isGone(_namespace, name) {
        asked.push(name);
        return gone;
      },
      async releasePod({ metadata }) {
        done.push(metadata.name);
      },
    } as Partial<RunPorts> as RunPorts;
    await reconcileRun("team", "gone", ports, new AbortController().signal);
    return { done, asked };
  }
  const over = { states: ["terminated", "terminated"], phase: "Succeeded" } as const;
  const ended = aPod(over);

  it("are let go once they are proven dead: nobody else would do it", async () => {
    assert.deepEqual((await released([ended])).done, [ended.metadata.name]);
  });

  it("are kept while something of them may run, and where only the cache has not heard of the Run", async () => {
    assert.deepEqual((await released([aPod()])).done, []);
    assert.deepEqual((await released([ended], false)).done, []);
  });

  it("cost no request where they were let go long ago", async () => {
    const { done, asked } = await released([aPod({ ...over, metadata: { finalizers: [] } })]);
    assert.deepEqual([done, asked], [[], []]);
  });
});
