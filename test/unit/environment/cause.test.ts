import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { aComponent, anEnvironment, anOutput } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

const id = { name: "id", valueFrom: { output: { component: "a", name: "id" } } };

/** `b` uses an output of `a`; both are applied. */
function anAppliedStory() {
  const story = aStory(
    anEnvironment([aComponent("a"), aComponent("b", { terraform: { path: ".", variables: [id] } })]),
  );
  story.settle({ a: [anOutput("id", "one")] });
  return story;
}

type Story = ReturnType<typeof anAppliedStory>;

const edited = (story: Story, spec: object): void =>
  story.edit((environment) => ({ ...environment, spec: { ...environment.spec, ...spec } }));

describe("The cause of a Run", () => {
  const changes: readonly [string, (story: Story) => void, readonly [string, string]][] = [
    [
      "a variable that is another",
      (story) => edited(story, { variables: [{ name: "size", value: 2 }] }),
      ["SpecChanged", "changed: variable size"],
    ],
    [
      "an engine that is another, from which version to which",
      (story) => edited(story, { engine: { name: "terraform" } }),
      ["SpecChanged", "changed: engine (from opentofu 1.12 to terraform 1.5)"],
    ],
    [
      "all that has changed at once",
      (story) => edited(story, { engine: { name: "terraform" }, variables: [{ name: "size", value: 2 }] }),
      ["SpecChanged", "changed: engine (from opentofu 1.12 to terraform 1.5), variable size"],
    ],
  ];
  for (const [what, change, [type, detail]] of changes) {
    it(`names ${what}`, () => {
      const story = anAppliedStory();
      change(story);
      story.round();
      assert.deepEqual(story.openRuns()[0]?.spec.cause, { type, detail });
    });
  }

  it("names whose output has changed", () => {
    const story = anAppliedStory();
    edited(story, {
      components: [aComponent("a", { terraform: { path: "new" } }), ...story.environment().spec.components.slice(1)],
    });
    story.round();
    story.end("a", "Applied", { outputs: [anOutput("id", "two")] });
    story.round();
    const [run] = story.openRuns();
    assert.deepEqual(
      [run?.spec.component, run?.spec.cause],
      ["b", { type: "OutputsChanged", detail: "an output that it uses of a" }],
    );
  });

  describe("that somebody has asked for", () => {
    const asked = "terrarium.dev/requestedAt=now";
    const requested = (story: Story, change: () => void = () => {}) => {
      story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
      change();
      story.round();
      return story.openRuns()[0]?.spec.cause;
    };

    it("names nothing else where nothing else has changed", () => {
      const story = anAppliedStory();
      assert.deepEqual(requested(story), { type: "Requested", detail: asked });
      story.end("a", "Applied", { outputs: [anOutput("id", "one")] });
      story.round();
      assert.deepEqual(story.openRuns()[0]?.spec.cause, { type: "Requested", detail: asked });
    });

    it("names what else is declared", () => {
      const story = anAppliedStory();
      const cause = requested(story, () => edited(story, { variables: [{ name: "size", value: 2 }] }));
      assert.deepEqual(cause, { type: "Requested", detail: `${asked}; changed: variable size` });
    });

    it("names whose output is another", () => {
      const story = anAppliedStory();
      requested(story);
      story.end("a", "Applied", { outputs: [anOutput("id", "two")] });
      story.round();
      const [run] = story.openRuns();
      assert.deepEqual(
        [run?.spec.component, run?.spec.cause],
        ["b", { type: "Requested", detail: `${asked}; an output that it uses of a` }],
      );
    });

    it("names the commits between which the source has moved", () => {
      const at = (letter: string) => story.sourceAt({ state: "known", revision: letter.repeat(40) });
      const source = { git: { url: "https://git.example.com/x.git", interval: "5m" } };
      const story = aStory(anEnvironment([aComponent("a")], { spec: { source } }));
      at("b");
      story.settle();
      const cause = requested(story, () => at("c"));
      const moved = `from ${"b".repeat(12)} to ${"c".repeat(12)}`;
      assert.deepEqual(cause, { type: "Requested", detail: `${asked}; ${moved}` });
    });
  });

  it("names whose state it takes over, also where it was its own", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.settle();
    const record = story.records.get("a") ?? assert.fail();
    story.records.set("a", { ...record, ownership: "Released" });
    story.round();
    assert.deepEqual(story.openRuns()[0]?.spec.cause, {
      type: "Created",
      detail: `takes over the state that Run ${record.applied?.run} left`,
    });
  });
});
