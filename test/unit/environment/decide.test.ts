import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { conditionsOf } from "../../../operator/run/conditions.ts";
import { aComponent, anEnvironment, anOutput } from "../../fakes/objects.ts";
import { diamond, fromOutput } from "./declared.ts";
import { aStory } from "./story.ts";

describe("An environment", () => {
  it("is marked with the finalizer before anything else happens", () => {
    const story = aStory(anEnvironment([aComponent("network")], { metadata: { finalizers: [] } }));
    assert.equal(story.decision().type, "mark");
  });

  it("starts what depends on nothing, and the rest when that is applied", () => {
    const story = aStory(diamond());
    story.round();
    assert.deepEqual(story.started, ["Apply network #1"]);
    story.end("network", "Applied");
    story.round();
    assert.deepEqual(story.started.slice(1), ["Apply database #1", "Apply cache #1"]);
    story.end("database", "Applied");
    story.round();
    assert.equal(story.verdict("app").state, "Blocked");
    assert.match(story.verdict("app").message, /waits for cache \(Pending\)/);
    story.end("cache", "Applied");
    story.round();
    assert.deepEqual(story.started.slice(3), ["Apply app #1"]);
  });

  it("starts nothing when nothing has changed", () => {
    const story = aStory(diamond());
    story.settle();
    const before = story.started.length;
    story.round();
    assert.equal(story.started.length, before);
    assert.equal(story.verdict("app").state, "Ready");
  });

  it("blocks only what depends on a failed component", () => {
    const story = aStory(anEnvironment([aComponent("a"), aComponent("b", { needs: ["a"] }), aComponent("c")]));
    story.round();
    story.end("a", "Failed", { retry: "Backoff" });
    story.end("c", "Applied");
    story.round();
    assert.equal(story.verdict("a").state, "Failed");
    assert.equal(story.verdict("b").state, "Blocked");
    assert.equal(story.verdict("c").state, "Ready");
  });

  it("names the cycle that its components form, and works on the others", () => {
    const story = aStory(
      anEnvironment([
        aComponent("a", { needs: ["c"] }),
        aComponent("b", { needs: ["a"] }),
        aComponent("c", { needs: ["b"] }),
        aComponent("d"),
      ]),
    );
    story.round();
    assert.deepEqual(story.started, ["Apply d #1"]);
    assert.equal(story.verdict("a").reason, "DependencyCycle");
    assert.match(story.verdict("a").message, /a → c → b → a/);
  });

  it("runs a dependent again when an output that it uses has another value", () => {
    const story = aStory(anEnvironment([aComponent("network"), aComponent("app", fromOutput("network", "id"))]));
    story.settle({ network: [anOutput("id", "one")] });
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.round();
    story.end("network", "Applied", { outputs: [anOutput("id", "two")] });
    story.round();
    story.end("app", "Applied");
    const app = story.runs().filter(({ spec }) => spec.component === "app");
    assert.equal(app.length, 2);
    assert.notEqual(app[0]?.spec.desiredDigest, app[1]?.spec.desiredDigest);
  });

  it("is stalled by an output that the other component does not have, and names both", () => {
    const story = aStory(anEnvironment([aComponent("network"), aComponent("app", fromOutput("network", "nope"))]));
    story.settle({ network: [anOutput("id")] });
    assert.equal(story.verdict("app").state, "Stalled");
    assert.equal(story.verdict("app").reason, "OutputMissing");
    assert.match(story.verdict("app").message, /component network has no output nope; it has id/);
  });

  it("does not run a dependent against the old version of what changed in the same commit", () => {
    const git = { url: "https://git.example.com/x.git", interval: "5m", ref: { branch: "main" } };
    const story = aStory(
      anEnvironment([aComponent("a"), aComponent("b", { needs: ["a"] })], { spec: { source: { git } } }),
    );
    story.sourceAt({ state: "known", revision: "1".repeat(40) });
    story.settle();
    story.sourceAt({ state: "known", revision: "2".repeat(40) });
    story.round();
    assert.deepEqual(story.started.slice(2), ["Apply a #2"]);
    assert.equal(story.verdict("b").state, "Blocked");
  });

  it("keeps what was applied when the git server does not answer, and says so", () => {
    const git = { url: "https://git.example.com/x.git", interval: "5m" };
    const story = aStory(anEnvironment([aComponent("a")], { spec: { source: { git } } }));
    story.sourceAt({ state: "known", revision: "1".repeat(40) });
    story.settle();
    story.sourceAt({ state: "failed", reason: "GitHostUnknown", message: "git.example.com does not answer" });
    const verdict = story.verdict("a");
    assert.equal(verdict.state, "Ready");
    assert.equal(verdict.reason, "GitHostUnknown");
    assert.match(verdict.message, /what was applied stays applied/);
  });

  for (const reason of ["GitUnauthorized", "GitRepositoryNotFound"] as const)
    it(`says that only a Run reads a login that was replaced, and makes it where it is asked for (${reason})`, () => {
      const git = { url: "https://git.example.com/x.git", interval: "5m", secretRef: { name: "login" } };
      const story = aStory(anEnvironment([aComponent("a")], { spec: { source: { git } } }));
      story.sourceAt({ state: "known", revision: "1".repeat(40) });
      story.settle();
      story.sourceAt({ state: "failed", reason, message: "the server refuses the credentials" });
      const { state, message } = story.verdict("a");
      assert.equal(state, "Ready");
      assert.match(message, /^once its Secret is right, kubectl terrarium run shop: only a Run reads that; what was/);
      story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
      story.round();
      assert.deepEqual(story.started, ["Apply a #1", "Apply a #2"]);
    });

  it("does not start anything while suspended, and goes on afterwards", () => {
    const story = aStory(anEnvironment([aComponent("a")], { spec: { suspend: true } }));
    story.round();
    assert.deepEqual(story.started, []);
    assert.equal(story.verdict("a").state, "Suspended");
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, suspend: false } }));
    story.round();
    assert.deepEqual(story.started, ["Apply a #1"]);
  });

  it("names the engines of the catalogue when the asked one is not among them", () => {
    const story = aStory(anEnvironment([aComponent("a")], { spec: { engine: { name: "terraform", version: "1.9" } } }));
    assert.equal(story.verdict("a").reason, "EngineUnknown");
    assert.match(story.verdict("a").message, /no terraform 1\.9; it has opentofu 1\.12, terraform 1\.5/);
  });
});

describe("Variables of a component", () => {
  const size = { name: "size", value: 1 };
  const own = aComponent("a", { terraform: { path: ".", variables: [size] } });

  it("are told apart from those of the Environment, which only those get that declare them", () => {
    const story = aStory(anEnvironment([own], { spec: { variables: [{ name: "region", value: "eu" }] } }));
    story.round();
    const [run] = story.runs();
    assert.deepEqual(run?.spec.inputs.ownVariables, ["size"]);
    assert.equal(run?.spec.inputs.variables.length, 2);
  });

  it("make no Run by who gives them: what is applied is the same", () => {
    const story = aStory(anEnvironment([aComponent("a")], { spec: { variables: [size] } }));
    story.settle();
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, variables: [], components: [own] } }));
    story.settle();
    assert.deepEqual(story.started, ["Apply a #1"]);
  });
});

describe("A Run that only a person can bring on", () => {
  for (const reason of ["ProofOfDeathMissing", "ForeignPod", "RightMissing"] as const) {
    it(`stalls its component, in its own words: ${reason}`, () => {
      const story = aStory(anEnvironment([aComponent("a")]));
      story.round();
      const [run] = story.openRuns();
      assert.ok(run);
      const told = { reason, message: "do this" };
      const conditions = conditionsOf(run, "Pending", told, new Date(story.now()));
      story.putRun({ ...run, status: { observedGeneration: 1, phase: "Pending", message: told.message, conditions } });
      const { state, reason: said, message } = story.verdict("a");
      assert.deepEqual([state, said, message], ["Stalled", reason, "do this"]);
    });
  }
});

describe("A state", () => {
  it("that another environment owns is not touched", () => {
    const first = aStory(anEnvironment([aComponent("a")]));
    first.settle();
    const second = aStory(anEnvironment([aComponent("a")], { metadata: { uid: "other-uid" } }));
    for (const [name, record] of first.records) second.records.set(name, record);
    second.round();
    assert.deepEqual(second.started, []);
    assert.equal(second.verdict("a").reason, "StateOwnedByOther");
    second.edit((environment) => ({ ...environment, spec: { ...environment.spec, adopt: { uid: "env-uid" } } }));
    second.round();
    assert.deepEqual(second.started, ["Apply a #2"]);
  });

  it("that is gone although a Run succeeded stops everything", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.settle();
    story.records.clear();
    story.pass(60_000);
    story.round();
    assert.equal(story.started.length, 1);
    assert.equal(story.verdict("a").reason, "StateLost");
  });
});
