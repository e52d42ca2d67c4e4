import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { aComponent, anEnvironment, anOutput, aRecord, T0 } from "../../fakes/objects.ts";
import { asking, aWaitingStory } from "./approval-story.ts";
import { aStory } from "./story.ts";

const git = { url: "https://git.example.com/x.git", interval: "5m", ref: { branch: "main" } };
const commit = (digit: string) => ({ state: "known", revision: digit.repeat(40) }) as const;

describe("A component whose plan waits while something changes", () => {
  it("keeps its plan when the spec is edited in what does not concern it", () => {
    const story = aWaitingStory();
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, retry: { limit: 2 } } }));
    story.annotate({ "example.com/approved-in": "a commit" });
    story.round();
    assert.deepEqual(story.superseded, []);
  });

  const changes: readonly [what: string, change: (story: ReturnType<typeof aStory>) => void, why: RegExp][] = [
    [
      "a variable is another",
      (story) =>
        story.edit((environment) => ({
          ...environment,
          spec: { ...environment.spec, variables: [{ name: "size", value: 2 }] },
        })),
      /changed: variable size/,
    ],
    [
      "the engine is another",
      (story) =>
        story.edit((environment) => ({
          ...environment,
          spec: { ...environment.spec, engine: { name: "terraform" } },
        })),
      /changed: engine \(from opentofu 1\.12 to terraform 1\.5\)/,
    ],
    [
      "the rules are others",
      (story) => story.edit((environment) => ({ ...environment, spec: { ...environment.spec, approval: asking(2) } })),
      /the rules for plans have changed/,
    ],
    [
      "a person puts another state in the store",
      (story) => {
        const at = new Date(T0 + 3_600_000).toISOString();
        const record = story.records.get("network") ?? aRecord("network");
        story.records.set("network", { ...record, written: { how: "Push", by: "jane", at, serial: 9 } });
      },
      /jane pushed the state meanwhile/,
    ],
    ["a fresh plan is asked for", (story) => story.annotate({ [ANNOTATIONS.requestedAt]: "now" }), /requestedAt=now/],
  ];
  for (const [what, change, why] of changes) {
    it(`gets a new plan when ${what}, and the old one is void`, () => {
      const story = aWaitingStory();
      change(story);
      story.round();
      assert.match(story.superseded[0] ?? "", why);
      story.round();
      assert.deepEqual(story.started, ["Apply network #1", "Apply network #2"]);
    });
  }

  it("gets a new plan when the source moves, and not while it cannot be looked up", () => {
    const story = aStory(anEnvironment([aComponent("network")], { spec: { approval: asking(), source: { git } } }));
    story.sourceAt(commit("1"));
    story.round();
    story.hold("network");
    story.sourceAt({ state: "failed", reason: "GitHostUnknown", message: "away" });
    story.round();
    assert.deepEqual(story.superseded, []);
    story.sourceAt(commit("2"));
    story.round();
    assert.deepEqual(story.superseded, ["the source moved from 111111111111 to 222222222222"]);
  });

  it("gets a new plan when the source moves although only its pod could look up which commit its plan is of", () => {
    const story = aStory(anEnvironment([aComponent("network")], { spec: { approval: asking(), source: { git } } }));
    story.sourceAt({ state: "unfollowed" });
    story.round();
    story.hold("network", { revision: "1".repeat(40) });
    // The login that its fetch used lets the operator follow the branch from now on.
    story.sourceAt(commit("1"));
    story.round();
    assert.deepEqual(story.superseded, []);
    story.sourceAt(commit("2"));
    story.round();
    assert.deepEqual(story.superseded, ["the source moved from 111111111111 to 222222222222"]);
  });

  it("waits on while a component that it uses is being changed, and gets a new plan if that gave another output", () => {
    const app = aComponent("app", {
      approval: asking(),
      terraform: {
        path: ".",
        variables: [{ name: "id", valueFrom: { output: { component: "network", name: "id" } } }],
      },
    });
    const story = aStory(anEnvironment([aComponent("network"), app]));
    story.round();
    story.end("network", "Applied", { outputs: [anOutput("id", "one")] });
    story.round();
    story.hold("app");
    const larger = aComponent("network", { terraform: { path: ".", variables: [{ name: "size", value: 2 }] } });
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [larger, app] } }));
    story.round();
    assert.deepEqual(story.superseded, []);
    story.end("network", "Applied", { outputs: [anOutput("id", "two")] });
    story.round();
    assert.deepEqual(story.superseded, ["changed: an output that it uses of network"]);
  });

  it("is void at once when it is itself changed, also while something that it needs is being changed", () => {
    const network = (size: number) =>
      aComponent("network", { terraform: { path: ".", variables: [{ name: "size", value: size }] } });
    const app = (required: number, size: number) =>
      aComponent("app", {
        needs: ["network"],
        approval: asking(required),
        terraform: { path: ".", variables: [{ name: "size", value: size }] },
      });
    const cases = [
      [app(1, 2), /variable size/],
      [app(2, 1), /the rules for plans have changed/],
    ] as const;
    for (const [changed, why] of cases) {
      const story = aStory(anEnvironment([network(1), app(1, 1)]));
      story.round();
      story.end("network", "Applied");
      story.round();
      story.hold("app");
      story.edit((environment) => ({
        ...environment,
        spec: { ...environment.spec, components: [network(2), changed] },
      }));
      story.round();
      assert.equal(story.verdict("network").satisfied, false);
      assert.match(story.superseded[0] ?? "", why);
    }
  });

  it("gets a fresh plan at once when the old one has expired", () => {
    const story = aWaitingStory();
    story.end("network", "Cancelled", { reason: "PlanExpired" });
    story.round();
    assert.deepEqual(story.started, ["Apply network #1", "Apply network #2"]);
    assert.equal(story.runs()[1]?.spec.attempt, 0);
  });

  it("that was renamed gets a new plan under its new name", () => {
    const story = aWaitingStory();
    story.edit((environment) => ({
      ...environment,
      spec: { ...environment.spec, components: [aComponent("net", { formerName: "network" })] },
    }));
    story.round();
    assert.deepEqual(story.superseded, ["the component is called net now"]);
  });
});
