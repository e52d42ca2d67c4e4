import assert from "node:assert/strict";
import type { ApprovalRules } from "../../../operator/api/approval.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { statusFor } from "../../../operator/environment/status.ts";
import { aComponent, anEnvironment, anOutput, aRecord, T0 } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

const asking = (required = 1, more: Partial<ApprovalRules> = {}): ApprovalRules => ({
  required,
  planExpiresAfter: "24h",
  ...more,
});
const withRules = (approval: ApprovalRules) => anEnvironment([aComponent("network")], { spec: { approval } });
const git = { url: "https://git.example.com/x.git", interval: "5m", ref: { branch: "main" } };
const commit = (digit: string) => ({ state: "known", revision: digit.repeat(40) }) as const;

/** One component, whose first plan waits for one person. */
function aWaitingStory(environment = withRules(asking())) {
  const story = aStory(environment);
  story.round();
  story.hold("network");
  return story;
}

const statusOf = (story: ReturnType<typeof aStory>) => {
  const status = statusFor(story.environment(), story.decision(), { lines: [] }, new Date(T0));
  assert.ok(status !== undefined);
  return status;
};

describe("The rules of a Run", () => {
  it("are those of the Environment when it was made", () => {
    const story = aStory(withRules(asking(2)));
    story.round();
    assert.deepEqual(story.runs()[0]?.spec.rules, { approval: { required: 2, expiresAfter: "24h" } });
  });

  it("are the component's own where it has some", () => {
    const own = aComponent("network", { approval: asking(3, { planExpiresAfter: "1h" }) });
    const story = aStory(anEnvironment([own, aComponent("app")], { spec: { approval: asking(1) } }));
    story.round();
    const required = story.runs().map(({ spec }) => [spec.component, spec.rules?.approval?.required]);
    assert.deepEqual(required, [
      ["network", 3],
      ["app", 1],
    ]);
  });

  it("are absent where nobody has to be asked", () => {
    const story = aStory(withRules(asking(0)));
    story.round();
    assert.equal(story.runs()[0]?.spec.rules, undefined);
  });

  it("for a destroy are its own where they are given", () => {
    const story = aStory(withRules(asking(1, { destroy: { required: 2 } })));
    story.settle();
    story.delete();
    story.round();
    assert.equal(story.runs().at(-1)?.spec.operation, "Destroy");
    assert.equal(story.runs().at(-1)?.spec.rules?.approval?.required, 2);
  });

  it("of a component that is removed are those that it was declared with, not looser ones of the Environment", () => {
    const strict = aComponent("network", { approval: asking(2) });
    const story = aStory(anEnvironment([strict, aComponent("app")]));
    story.settle();
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [aComponent("app")] } }));
    story.round();
    const destroy = story.runs().find(({ spec }) => spec.operation === "Destroy");
    assert.equal(destroy?.spec.rules?.approval?.required, 2);
  });
});

describe("A component whose plan waits", () => {
  it("says so, since when, and the command that approves it", () => {
    const verdict = aWaitingStory().verdict("network");
    assert.equal(verdict.state, "AwaitingApproval");
    assert.equal(verdict.satisfied, false);
    assert.match(verdict.message, /^kubectl terrarium approve shop: 0 of 1 approvals for \+1 ~0 ±0 -2 since 2026-/);
  });

  it("says what it still waits for once enough people have agreed", () => {
    const story = aWaitingStory();
    const [run] = story.openRuns();
    assert.ok(run?.status !== undefined);
    const approvals = [{ approver: "ada", decision: "Approve", at: new Date(T0).toISOString() }] as const;
    const message = "approved; waits for a free place";
    story.putRun({ ...run, status: { ...run.status, approvals: [...approvals], message } });
    assert.equal(story.verdict("network").message, message);
  });

  it("is neither stalled nor failed: it goes on when somebody has decided", () => {
    const status = statusOf(aWaitingStory());
    const of = (type: string) => status.conditions?.find((condition) => condition.type === type);
    assert.deepEqual([of("Ready")?.status, of("Ready")?.reason], ["False", "AwaitingApproval"]);
    assert.equal(of("Reconciling")?.status, "True");
    assert.equal(of("Stalled")?.status, "False");
    assert.equal(of("AwaitingApproval")?.status, "True");
    assert.equal(status.components?.[0]?.approval?.required, 1);
  });

  it("has no such condition once nothing waits any more", () => {
    const story = aWaitingStory();
    story.end("network", "Applied");
    assert.equal(
      statusOf(story).conditions?.some(({ type }) => type === "AwaitingApproval"),
      false,
    );
  });

  it("starts nothing else, however often one looks", () => {
    const story = aWaitingStory();
    story.round();
    story.round();
    assert.equal(story.runs().length, 1);
    assert.deepEqual(story.superseded, []);
  });

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

  it("is not asked about again after a no, until something changes", () => {
    const story = aWaitingStory();
    story.end("network", "Cancelled", { reason: "Rejected", message: "ada rejected the plan: too large" });
    story.round();
    const verdict = story.verdict("network");
    assert.deepEqual([verdict.state, verdict.reason], ["Stalled", "Rejected"]);
    assert.match(verdict.message, /ada rejected the plan: too large; change the spec/);
    story.pass(30 * 86_400_000);
    story.round();
    assert.equal(story.runs().length, 1);
    story.annotate({ [ANNOTATIONS.requestedAt]: "again" });
    story.round();
    assert.equal(story.runs().length, 2);
  });

  it("is not asked about again after a no where the wish for a fresh plan is taken off", () => {
    const story = aWaitingStory();
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.round();
    story.round();
    story.hold("network");
    story.end("network", "Cancelled", { reason: "Rejected", message: "ada rejected the plan" });
    story.unannotate(ANNOTATIONS.requestedAt);
    story.round();
    assert.deepEqual(story.started, ["Apply network #1", "Apply network #2"]);
    assert.equal(story.verdict("network").reason, "Rejected");
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

describe("Destroying, where people are asked", () => {
  it("of a removed component needs no other confirmation than their approval", () => {
    const story = aStory(anEnvironment([aComponent("network"), aComponent("app")], { spec: { approval: asking() } }));
    story.settle();
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [aComponent("app")] } }));
    story.round();
    assert.equal(story.started.at(-1), "Destroy network #2");
    story.hold("network");
    assert.equal(story.verdict("network").state, "AwaitingApproval");
  });

  it("of a removed component asks them whatever `unless` says: nothing else would confirm it", () => {
    const approval = { ...asking(2), unless: "plan.changes.all(c, c.type != 'db')" };
    const story = aStory(anEnvironment([aComponent("network"), aComponent("app")], { spec: { approval } }));
    story.settle();
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [aComponent("app")] } }));
    story.round();
    story.hold("network");
    assert.deepEqual(story.openRuns()[0]?.spec.rules?.approval, { required: 2, expiresAfter: "24h" });
    story.round();
    story.delete();
    story.round();
    assert.deepEqual(story.superseded, [], "a plan that waits is as good for the deletion of the whole");
    assert.equal(story.verdict("app").step.type, "none");
    const [, whole] = story.openRuns();
    assert.deepEqual([whole?.spec.component, whole?.spec.rules?.approval?.unless], ["app", approval.unless]);
  });

  it("of a component that is declared again is void", () => {
    const story = aStory(anEnvironment([aComponent("network"), aComponent("app")], { spec: { approval: asking() } }));
    story.settle();
    const { components } = story.environment().spec;
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [aComponent("app")] } }));
    story.round();
    story.hold("network");
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components } }));
    story.round();
    assert.deepEqual(story.superseded, ["a plan to apply is wanted now"]);
  });

  it("of the whole Environment waits in reverse order, and keeps the object until it is approved", () => {
    const story = aStory(
      anEnvironment([aComponent("network"), aComponent("app", { needs: ["network"] })], {
        spec: { approval: asking() },
      }),
    );
    story.settle();
    story.delete();
    story.round();
    assert.equal(story.started.at(-1), "Destroy app #2");
    story.hold("app");
    assert.equal(story.verdict("app").state, "AwaitingApproval");
    assert.equal(story.verdict("network").state, "Blocked");
    story.end("app", "Cancelled", { reason: "Rejected", message: "ada rejected the plan" });
    assert.equal(story.decision().type, "dismantle");
    assert.equal(story.verdict("app").reason, "Rejected");
  });

  it("gives up a plan to apply when the Environment is deleted", () => {
    const story = aWaitingStory();
    story.delete();
    story.round();
    assert.deepEqual(story.superseded, ["the component is to be removed"]);
  });
});
