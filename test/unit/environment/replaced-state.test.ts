import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { RunSpec } from "../../../operator/api/run.ts";
import { aComponent, anEnvironment, anOutput } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

const HOUR_MS = 3_600_000;
const vpc = { name: "vpc", valueFrom: { output: { component: "a", name: "id" } } };
const output = (digest: string) => [{ ...anOutput("id"), digest }];

/** `b` uses an output of `a`. Both are ready when a person puts another state of `a` into the store, and nothing is decided about it yet. */
function aReplacedStory(spec: object = {}) {
  const user = aComponent("b", { terraform: { path: ".", variables: [vpc] } });
  const story = aStory(anEnvironment([aComponent("a"), user], { spec }));
  story.settle({ a: output("first") });
  const replace = (clockAheadMs = 0) => {
    story.pass(60_000);
    const record = story.records.get("a") ?? assert.fail();
    const at = new Date(story.now() + clockAheadMs).toISOString();
    const after = Math.max(...story.runs().map(({ spec: { number } }) => number));
    const written = { how: "Restore", by: "jane", at, serial: 9, after, replaced: true } as const;
    story.records.set("a", { ...record, written });
    story.pass(60_000);
  };
  return { story, replace };
}

const requiredOf = ({ rules }: RunSpec): number | undefined => rules?.approval?.required;

describe("A ready component whose state a person replaces", () => {
  it("is planned again, for a person to approve, though nobody has to be asked for plans here", () => {
    const { story, replace } = aReplacedStory();
    replace();
    story.round();
    const [run] = story.openRuns();
    assert.deepEqual(run?.spec.cause, { type: "StateReplaced", detail: "jane restored the state" });
    assert.equal(requiredOf(run.spec), 1);
    story.hold("a");
    assert.equal(story.verdict("a").state, "AwaitingApproval");
  });

  it("keeps waiting what uses its outputs, which follows when the plan is settled", () => {
    const { story, replace } = aReplacedStory();
    replace();
    story.round();
    assert.equal(story.verdict("b").state, "Blocked");
    story.end("a", "Unchanged", { outputs: output("second") });
    story.round();
    assert.equal(story.verdict("a").state, "Ready");
    assert.deepEqual(story.started.slice(2), ["Apply a #2", "Apply b #2"]);
  });

  it("is planned once, also where the clock of whoever stored the state was ahead", () => {
    const { story, replace } = aReplacedStory();
    replace(HOUR_MS);
    story.round();
    story.end("a", "Applied", { outputs: output("first") });
    story.round();
    assert.equal(story.verdict("a").state, "Ready");
    assert.deepEqual(story.started.slice(2), ["Apply a #2"]);
  });

  it("stays as it is when the plan is rejected, until a person replaces the state once more", () => {
    const { story, replace } = aReplacedStory();
    replace();
    story.round();
    story.hold("a");
    story.end("a", "Cancelled", { reason: "Rejected", message: "rejected by jane" });
    story.round();
    assert.equal(story.verdict("a").reason, "Rejected");
    assert.deepEqual(story.started.slice(2), ["Apply a #2"]);
    replace();
    story.round();
    assert.deepEqual(story.started.slice(2), ["Apply a #2", "Apply a #3"]);
  });

  it("asks a person also where something else has changed meanwhile", () => {
    const { story, replace } = aReplacedStory();
    replace();
    story.edit((environment) => ({
      ...environment,
      spec: { ...environment.spec, variables: [{ name: "size", value: 2 }] },
    }));
    story.round();
    const [run] = story.openRuns();
    assert.equal(run?.spec.cause.type, "SpecChanged");
    assert.equal(requiredOf(run.spec), 1);
  });

  it("asks again after an apply of it that failed: whoever approved the first plan has not seen the next one", () => {
    const { story, replace } = aReplacedStory();
    replace();
    story.round();
    story.end("a", "Failed", { reason: "ApplyFailed" });
    story.pass(HOUR_MS);
    story.round();
    const [run] = story.openRuns();
    assert.equal(run?.spec.cause.type, "Retry");
    assert.equal(requiredOf(run.spec), 1);
  });

  it("asks as many people as its rules say, and exempts no plan", () => {
    const { story, replace } = aReplacedStory({ approval: { required: 2, unless: "true", planExpiresAfter: "1h" } });
    replace();
    story.round();
    assert.deepEqual(story.openRuns()[0]?.spec.rules?.approval, { required: 2, expiresAfter: "1h" });
  });

  it("asks a person also where a plan was asked for, which may have been because of another component", () => {
    const { story, replace } = aReplacedStory();
    replace();
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.round();
    const [run] = story.openRuns();
    assert.equal(run?.spec.cause.type, "Requested");
    assert.equal(requiredOf(run.spec), 1);
  });

  it("waits while it is suspended", () => {
    const { story, replace } = aReplacedStory();
    replace();
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, suspend: true } }));
    assert.equal(story.verdict("a").state, "Suspended");
  });

  it("makes a plan that waits for people void, and says who has replaced its state", () => {
    const { story, replace } = aReplacedStory();
    story.edit((environment) => ({
      ...environment,
      spec: {
        ...environment.spec,
        approval: { required: 1, planExpiresAfter: "1h" },
        variables: [{ name: "size", value: 2 }],
      },
    }));
    story.round();
    story.hold("a");
    replace(HOUR_MS);
    story.round();
    assert.deepEqual(story.superseded, ["jane restored the state meanwhile"]);
  });
});
