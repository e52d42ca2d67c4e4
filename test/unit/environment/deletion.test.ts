import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import { planStanding } from "../../../operator/environment/plan-standing.ts";
import { aComponent, anEnvironment, anOutput } from "../../fakes/objects.ts";
import { declare, diamond, fromOutput } from "./declared.ts";
import { aStory } from "./story.ts";

describe("A deleted environment", () => {
  it("destroys in the reverse order, and is let go when nothing is left", () => {
    const story = aStory(diamond());
    story.settle();
    const before = story.started.length;
    story.delete();
    story.settle();
    const order = story.started.slice(before).map((line) => line.split(" ")[1]);
    assert.deepEqual([order[0], order[3]], ["app", "network"]);
    assert.equal(story.decision().type, "letGo");
  });

  it("does not destroy by a plan that waits what something uses that is there again by then", () => {
    const approval: EnvironmentSpec["approval"] = { required: 0, planExpiresAfter: "24h", destroy: { required: 1 } };
    const components = [aComponent("network"), aComponent("app", { needs: ["network"] })];
    const story = aStory(anEnvironment(components, { spec: { approval } }));
    story.settle();
    const app = story.records.get("app") ?? assert.fail();
    story.delete();
    story.round();
    story.hold("app");
    story.end("app", "Destroyed");
    story.round();
    story.round();
    const waiting = story.hold("network");
    assert.equal(planStanding(story.observation(), waiting).type, "stands");
    const at = new Date(story.now()).toISOString();
    story.records.set("app", {
      ...app,
      written: { how: "Restore", by: "jane", at, serial: 2, newestRun: 9, replaced: true },
    });
    assert.equal(planStanding(story.observation(), waiting).type, "heldBack");
  });

  it("destroys in the reverse order, by whatever name what is used goes by then", () => {
    const story = aStory(anEnvironment([aComponent("net"), aComponent("b", { needs: ["net"] })]));
    story.settle();
    const network = aComponent("network", { formerName: "net" });
    declare(story, network, aComponent("b", { needs: ["network"] }));
    story.settle();
    assert.equal(story.verdict("b").state, "Ready");
    story.delete();
    story.settle();
    assert.deepEqual(story.started.slice(2), ["Destroy b #2", "Destroy network #2"]);
  });

  it("destroys what was renamed after what was to be applied with its new name, and was not yet", () => {
    const story = aStory(anEnvironment([aComponent("net"), aComponent("b", fromOutput("net", "id"))]));
    story.settle({ net: [anOutput("id")] });
    declare(story, aComponent("network", { formerName: "net" }), aComponent("b", fromOutput("network", "id")));
    story.round();
    story.round();
    story.end("b", "Failed", { reason: "PlanFailed", retry: "Backoff" });
    story.delete();
    story.settle();
    assert.deepEqual(story.started.slice(2), ["Apply b #2", "Destroy b #3", "Destroy network #2"]);
  });

  it("waits for a running apply before it destroys", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.round();
    story.delete();
    story.round();
    assert.deepEqual(story.started, ["Apply a #1"]);
    story.end("a", "Applied");
    story.settle();
    assert.deepEqual(story.started, ["Apply a #1", "Destroy a #2"]);
  });

  it("destroys nothing that was never applied", () => {
    const story = aStory(diamond());
    story.round();
    story.end("network", "Failed", { reason: "ConfigurationInvalid", retry: "Backoff" });
    story.delete();
    story.settle();
    assert.deepEqual(story.started, ["Apply network #1"]);
    assert.equal(story.decision().type, "letGo");
  });

  it("destroys what an apply that failed half way may have made", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.round();
    story.end("a", "Failed", { reason: "ApplyFailed", retry: "Backoff" });
    story.delete();
    story.settle();
    assert.deepEqual(story.started, ["Apply a #1", "Destroy a #2"]);
  });

  it("releases instead of destroying when its policy is Retain", () => {
    const story = aStory(anEnvironment([aComponent("a")], { spec: { deletionPolicy: "Retain" } }));
    story.settle();
    story.delete();
    story.settle();
    assert.deepEqual(story.started, ["Apply a #1"]);
    assert.equal(story.records.get("a")?.ownership, "Released");
    assert.equal(story.decision().type, "letGo");
  });

  it("waits while suspended", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.settle();
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, suspend: true } }));
    story.delete();
    story.round();
    assert.equal(story.verdict("a").state, "Suspended");
    assert.equal(story.started.length, 1);
  });

  it("destroys nothing because somebody deletes the kind itself", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.settle();
    story.delete();
    story.terminateCrd();
    story.round();
    assert.equal(story.verdict("a").reason, "CRDTerminating");
    assert.equal(story.started.length, 1);
  });

  it("waits for a word where many others were deleted with it", () => {
    const story = aStory(anEnvironment([aComponent("a"), aComponent("b", { needs: ["a"] })]));
    story.settle();
    story.deleteWith(11);
    story.round();
    assert.equal(story.verdict("b").state, "Stalled");
    assert.equal(story.verdict("b").reason, "ManyDeletions");
    assert.match(story.verdict("b").message, /terrarium\.dev\/confirm-delete=true/);
    assert.equal(story.started.length, 2);

    story.report();
    story.deleteWith(1);
    story.round();
    assert.equal(story.verdict("b").reason, "ManyDeletions", "who was held back stays so when the others are gone");
    story.annotate({ "terrarium.dev/confirm-delete": "true" });
    story.settle();
    assert.deepEqual(story.started.slice(2), ["Destroy b #2", "Destroy a #2"]);
  });

  it("waits for that word also where it had to wait for something else when the others were deleted", () => {
    const windows = [
      { name: "nights", type: "Allow", schedule: "0 22 * * *", duration: "2h", timeZone: "UTC" } as const,
    ];
    const edit = (more: Partial<EnvironmentSpec>) => (story: ReturnType<typeof aStory>) =>
      story.edit((environment) => ({ ...environment, spec: { ...environment.spec, ...more } }));
    const cases: readonly [
      what: string,
      begins: (story: ReturnType<typeof aStory>) => void,
      ends: (story: ReturnType<typeof aStory>) => void,
    ][] = [
      [
        "an apply",
        (story) => {
          edit({ variables: [{ name: "x", value: 1 }] })(story);
          story.round();
          story.beginApply("a");
        },
        (story) => story.end("a", "Applied"),
      ],
      ["a window", edit({ windows }), (story) => story.pass(14 * 3_600_000)],
      ["suspend", edit({ suspend: true }), edit({ suspend: false })],
    ];
    for (const [what, begins, ends] of cases) {
      const story = aStory(anEnvironment([aComponent("a")]));
      story.settle();
      story.pass(9 * 3_600_000);
      begins(story);
      story.deleteWith(11);
      story.round();
      assert.notEqual(story.verdict("a").reason, "ManyDeletions", what);
      story.report();
      story.deleteWith(1);
      ends(story);
      story.round();
      assert.equal(story.verdict("a").reason, "ManyDeletions", what);
      assert.ok(!story.started.some((started) => started.startsWith("Destroy")), what);
      story.annotate({ "terrarium.dev/confirm-delete": "true" });
      story.round();
      assert.match(story.started.at(-1) ?? "", /^Destroy a/, what);
      story.report();
      assert.equal(story.environment().status?.deletedWithMany, undefined);
    }
  });

  it("waits for nobody where as many others were deleted as is usual, and where what exists is kept", () => {
    const usual = aStory(anEnvironment([aComponent("a")]));
    usual.settle();
    usual.deleteWith(10);
    usual.round();
    assert.deepEqual(usual.started.slice(1), ["Destroy a #2"]);
    const kept = aStory(anEnvironment([aComponent("a")], { spec: { deletionPolicy: "Retain" } }));
    kept.settle();
    kept.deleteWith(1_000);
    kept.settle();
    assert.equal(kept.decision().type, "letGo");
  });

  it("ends the destroy that is under way when many others follow, and begins no further one", () => {
    const story = aStory(anEnvironment([aComponent("a"), aComponent("b", { needs: ["a"] })]));
    story.settle();
    story.delete();
    story.round();
    story.deleteWith(11);
    story.end("b", "Destroyed");
    story.round();
    assert.equal(story.verdict("a").reason, "ManyDeletions");
    assert.deepEqual(story.started.slice(2), ["Destroy b #2"]);
  });

  it("asks for the credentials that destroying needs, and goes on by itself when they are back", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.settle();
    story.delete();
    story.round();
    story.end("a", "Waiting", { reason: "InputMissing", message: "Secret aws is missing (credentials aws)" });
    assert.equal(story.verdict("a").reason, "CredentialsMissing");
    assert.equal(story.verdict("a").state, "Stalled");
    story.pass(120_000);
    story.settle();
    assert.equal(story.decision().type, "letGo");
  });

  it("tries a failed destroy again, later", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.settle();
    story.delete();
    story.round();
    story.end("a", "Failed", { reason: "DestroyFailed", retry: "Backoff", message: "volume in use" });
    story.round();
    assert.equal(story.verdict("a").reason, "DestroyFailed");
    assert.notEqual(story.decision().type, "letGo");
    story.pass(60_000);
    story.settle();
    assert.equal(story.decision().type, "letGo");
  });
});
