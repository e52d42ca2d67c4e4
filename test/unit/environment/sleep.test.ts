import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { statusFor } from "../../../operator/environment/status.ts";
import { aComponent, anEnvironment, T0 } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

const HOUR_MS = 3_600_000;

/** Stories begin at midnight (UTC), when it is awake: it falls asleep at eight in the evening, and wakes at seven. */
const sleep = { schedule: "0 20 * * *", wake: "0 7 * * *", timeZone: "UTC" };
const WAKES = "2026-01-02T07:00:00Z";
const nights = { lifetime: { sleep } as NonNullable<EnvironmentSpec["lifetime"]> };

const destroyed = { sleep: { destroy: true } } as const;
const scaled = { sleep: { variables: [{ name: "replicas", value: 0 }] } };

/** The network stays, the database is scaled, and what uses it goes. */
const shop = (spec: Partial<EnvironmentSpec> = {}) =>
  anEnvironment(
    [
      aComponent("network"),
      aComponent("database", { needs: ["network"], ...scaled }),
      aComponent("cache", { needs: ["network"], ...destroyed }),
      aComponent("app", { needs: ["database", "cache"], ...destroyed }),
    ],
    { spec: { ...nights, ...spec } },
  );

type Story = ReturnType<typeof aStory>;

const edit = (story: Story, spec: Partial<EnvironmentSpec>): void =>
  story.edit((environment) => ({ ...environment, spec: { ...environment.spec, ...spec } }));

const statusOf = (story: Story) => statusFor(story.environment(), story.decision(), { lines: [] }, new Date(T0));
const conditions = (story: Story) =>
  statusOf(story)?.conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`);

/** Applied on the day, and now it is evening. */
function evening(spec: Partial<EnvironmentSpec> = {}): Story {
  const story = aStory(shop(spec));
  story.pass(8 * HOUR_MS);
  story.settle();
  story.pass(12 * HOUR_MS);
  return story;
}

/** Fast asleep. */
function night(spec: Partial<EnvironmentSpec> = {}): Story {
  const story = evening(spec);
  story.settle();
  return story;
}

const DAY = ["Apply network #1", "Apply database #1", "Apply cache #1", "Apply app #1"];

describe("An environment that falls asleep", () => {
  it("tries a destroy again as one that nobody has asked for: a state that is put in meanwhile stops it", () => {
    const story = evening();
    story.round();
    story.end("app", "Failed", { reason: "DestroyFailed" });
    story.pass(HOUR_MS / 12);
    story.round();
    const [again] = story.openRuns();
    assert.deepEqual([again?.spec.operation, again?.spec.cause.type, again?.spec.attempt], ["Destroy", "Asleep", 1]);
  });

  it("destroys what is to be destroyed in the reverse order, and scales what uses less after its users", () => {
    const story = evening();
    story.round();
    assert.deepEqual(story.started.slice(4), ["Destroy app #2"]);
    assert.equal(story.verdict("database").message, "falls asleep after app");
    assert.equal(story.verdict("cache").message, "is destroyed after app");
    story.settle();
    assert.deepEqual(story.started, [...DAY, "Destroy app #2", "Apply database #2", "Destroy cache #2"]);
    const causes = story.runs().map(({ spec }) => spec.cause.type);
    assert.deepEqual(causes.slice(4), ["Asleep", "Asleep", "Asleep"]);
    const variables = story.runs().find(({ spec }) => spec.component === "database" && spec.number === 2)?.spec.inputs;
    assert.deepEqual(variables?.variables, [{ name: "replicas", value: 0 }]);
  });

  it("asks people as for any other plan: for what is destroyed by the rule for destroying where there is one", () => {
    const approval = { required: 1, unless: "plan.delete < 2", planExpiresAfter: "2h" };
    const ordinary = { approval: { required: 1, unless: "plan.delete < 2", expiresAfter: "2h" } };
    const destroy = { required: 2 };
    for (const [rules, scaling, destroying] of [
      [approval, ordinary, ordinary],
      [
        { ...approval, destroy },
        { approval: { ...ordinary.approval, destroy } },
        { approval: { ...destroy, expiresAfter: "2h" } },
      ],
    ] as const) {
      const asleep = night({ approval: rules })
        .runs()
        .filter(({ spec }) => spec.cause.type === "Asleep");
      assert.deepEqual(
        asleep.map(({ spec }) => [spec.operation, spec.component, spec.rules]),
        [
          ["Destroy", "app", destroying],
          ["Apply", "database", scaling],
          ["Destroy", "cache", destroying],
        ],
      );
    }
  });

  it("is Ready and says that it sleeps, until when, and what", () => {
    const story = night();
    assert.deepEqual(conditions(story), [
      "Ready=True Asleep",
      "Reconciling=False Applied",
      "Stalled=False Progressing",
    ]);
    const status = statusOf(story);
    assert.equal(status?.conditions?.[0]?.message, `asleep until ${WAKES}: database, cache, app`);
    assert.equal(status?.summary, "2/4 ready, 3 asleep");
    assert.deepEqual(
      status?.components?.map(({ state, reason }) => `${state} ${reason}`),
      ["Ready Applied", "Ready Asleep", "Suspended Asleep", "Suspended Asleep"],
    );
  });

  it("is left alone until it wakes, and looked at then", () => {
    const story = night();
    const before = story.started.length;
    story.pass(5 * HOUR_MS);
    story.round();
    assert.equal(story.started.length, before);
    const decision = story.decision();
    assert.equal("verdicts" in decision ? decision.wakeAtMs : undefined, Date.parse(WAKES));
  });

  it("wakes in the order of its dependencies", () => {
    const story = night();
    const before = story.started.length;
    story.pass(11 * HOUR_MS);
    story.round();
    assert.deepEqual(story.started.slice(before), ["Apply database #3", "Apply cache #3"]);
    assert.equal(story.verdict("app").state, "Blocked");
    story.settle();
    assert.deepEqual(story.started.slice(before + 2), ["Apply app #3"]);
    const causes = story.runs().map(({ spec }) => spec.cause.type);
    assert.deepEqual(causes.slice(-3), ["Woken", "Woken", "Woken"]);
    assert.equal(conditions(story)?.[0], "Ready=True Applied");
  });

  it("applies a change of the spec when it wakes, and is not woken by it or by a request", () => {
    const story = night();
    const before = story.started.length;
    const components = story
      .environment()
      .spec.components.map((component) =>
        component.name === "app" ? { ...component, terraform: { path: "v2" } } : component,
      );
    edit(story, { components });
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.settle();
    assert.deepEqual(story.started.slice(before), ["Apply network #2", "Apply database #3"], "what is there answers");
    assert.equal(story.verdict("app").reason, "Asleep");
    story.pass(11 * HOUR_MS);
    story.settle();
    const app = story.runs().findLast(({ spec }) => spec.component === "app");
    assert.equal(app?.spec.inputs.path, "v2");
  });

  it("creates nothing that is to be destroyed asleep, when it is made in the night", () => {
    const story = aStory(shop());
    story.pass(22 * HOUR_MS);
    story.settle();
    assert.deepEqual(story.started, ["Apply network #1", "Apply database #1"]);
    assert.equal(conditions(story)?.[0], "Ready=True Asleep");
  });

  it("lets a running apply end first", () => {
    const story = aStory(shop());
    story.pass(20 * HOUR_MS - 1000);
    story.round();
    story.end("network", "Applied");
    story.round();
    story.pass(2000);
    story.round();
    assert.equal(story.verdict("cache").state, "Pending", "its Run is open");
    story.end("cache", "Applied");
    story.end("database", "Applied");
    story.settle();
    assert.deepEqual(story.started.slice(1), [
      "Apply database #1",
      "Apply cache #1",
      "Apply database #2",
      "Destroy cache #2",
    ]);
  });

  it("tries a failed destroy again, and wakes all the same where that never ended well", () => {
    const story = evening({ retry: { limit: 0 } });
    story.round();
    story.end("app", "Failed", { reason: "DestroyFailed", retry: "Backoff" });
    assert.equal(conditions(story)?.[0], "Ready=False RetriesExhausted");
    assert.equal(story.verdict("cache").state, "Blocked");
    story.pass(11 * HOUR_MS);
    story.settle();
    assert.deepEqual(story.started.slice(4), ["Destroy app #2", "Apply app #3"]);
    assert.equal(conditions(story)?.[0], "Ready=True Applied");
  });

  it("tells when it cannot wake, as any failed apply, and sleeps again in the evening", () => {
    const story = night();
    story.pass(11 * HOUR_MS);
    story.round();
    story.end("database", "Applied");
    story.end("cache", "Failed", { reason: "ApplyFailed", retry: "Backoff" });
    assert.equal(conditions(story)?.[0], "Ready=False ApplyFailed");
    assert.equal(story.verdict("app").state, "Blocked");
    story.pass(13 * HOUR_MS);
    story.settle();
    assert.equal(story.started.at(-1), "Destroy cache #4", "what half an apply has made goes, too");
    assert.equal(conditions(story)?.[0], "Ready=True Asleep");
  });

  it("is not Ready where the first plan of the morning fails: nothing of what slept is there", () => {
    const story = night();
    story.pass(11 * HOUR_MS);
    story.round();
    story.end("database", "Applied");
    story.end("cache", "Failed", { reason: "PlanFailed", retry: "Backoff" });
    assert.equal(conditions(story)?.[0], "Ready=False PlanFailed");
    assert.equal(story.verdict("app").state, "Blocked");
  });

  it("has the tries of each morning, also after one on which it used them all up", () => {
    const story = night({ retry: { limit: 1 } });
    const mornings = [1, 2].map(() => {
      story.pass(11 * HOUR_MS);
      const before = story.started.length;
      for (let tries = 0; tries < 4; tries += 1) {
        story.round();
        if (story.openRuns().some(({ spec }) => spec.component === "database")) story.end("database", "Applied");
        if (story.openRuns().some(({ spec }) => spec.component === "cache"))
          story.end("cache", "Failed", { reason: "PlanFailed", message: "the provider is away", retry: "Backoff" });
        story.pass(HOUR_MS / 4);
      }
      assert.equal(story.verdict("cache").reason, "RetriesExhausted");
      story.pass(12 * HOUR_MS);
      story.settle();
      return story.started.slice(before).filter((line) => line.includes("cache")).length;
    });
    assert.deepEqual(mornings, [2, 2]);
  });

  for (const [what, how] of [
    ["be scaled", scaled],
    ["be destroyed", destroyed],
  ] as const)
    it(`has the tries of each evening, too, to ${what}`, () => {
      const story = aStory(anEnvironment([aComponent("database", how)], { spec: { ...nights, retry: { limit: 1 } } }));
      story.pass(8 * HOUR_MS);
      story.settle();
      story.pass(12 * HOUR_MS);
      const evenings = [1, 2].map(() => {
        const before = story.started.length;
        for (let tries = 0; tries < 4; tries += 1) {
          story.round();
          if (story.openRuns().length > 0) story.end("database", "Failed", { reason: "PlanFailed", retry: "Backoff" });
          story.pass(HOUR_MS / 4);
        }
        assert.equal(story.verdict("database").reason, "RetriesExhausted");
        story.pass(12 * HOUR_MS);
        assert.equal(story.verdict("database").state, "Ready", "in the day it is as it was");
        story.pass(11 * HOUR_MS);
        return story.started.length - before;
      });
      assert.deepEqual(evenings, [2, 2]);
    });

  it("does not ask again each morning for what a person has rejected", () => {
    const story = night();
    story.pass(11 * HOUR_MS);
    story.round();
    story.hold("cache");
    story.end("cache", "Cancelled", { reason: "Rejected", message: "jane rejected the plan" });
    story.pass(24 * HOUR_MS);
    assert.equal(story.verdict("cache").reason, "Rejected");
  });

  it("destroys nothing before what uses it and is no longer declared has gone", () => {
    const story = evening();
    story.edit((environment) => ({
      ...environment,
      spec: { ...environment.spec, components: environment.spec.components.filter(({ name }) => name !== "app") },
    }));
    story.round();
    assert.equal(story.verdict("app").reason, "RemovalNeedsConfirmation");
    assert.deepEqual(
      [story.verdict("cache").state, story.verdict("cache").message],
      ["Blocked", "is destroyed after app"],
    );
  });

  it("destroys what nothing declared uses any more, where all that used it is applied as it is declared", () => {
    const story = aStory(
      anEnvironment([aComponent("cache"), aComponent("app", { needs: ["cache"] })], { spec: nights }),
    );
    story.settle();
    edit(story, { components: [aComponent("cache", destroyed), aComponent("app")] });
    story.pass(20 * HOUR_MS);
    story.settle();
    assert.deepEqual(story.started, ["Apply cache #1", "Apply app #1", "Destroy cache #2"]);
  });

  it("leaves an interrupted apply to a person", () => {
    const story = aStory(anEnvironment([aComponent("a", destroyed)], { spec: nights }));
    story.pass(19 * HOUR_MS);
    story.round();
    story.end("a", "Interrupted");
    story.pass(2 * HOUR_MS);
    story.round();
    assert.deepEqual(story.started, ["Apply a #1", "Apply a #2"]);
    story.hold("a");
    assert.equal(story.verdict("a").state, "AwaitingApproval");
  });

  it("neither falls asleep nor wakes while it is suspended", () => {
    const story = evening();
    edit(story, { suspend: true });
    story.round();
    assert.equal(story.started.length, 4);
    assert.equal(story.verdict("app").reason, "Suspended");
    edit(story, { suspend: false });
    story.settle();
    edit(story, { suspend: true });
    assert.equal(conditions(story)?.[0], "Ready=True Asleep");
    const before = story.started.length;
    story.pass(11 * HOUR_MS);
    story.round();
    assert.equal(story.started.length, before);
    assert.equal(conditions(story)?.[0], "Ready=False Suspended");
  });

  it("waits for a window with both", () => {
    const window = { name: "late", type: "Allow", schedule: "0 22 * * *", duration: "1h", timeZone: "UTC" } as const;
    const story = evening();
    edit(story, { windows: [window] });
    assert.equal(story.verdict("app").reason, "WindowClosed");
    story.pass(2 * HOUR_MS);
    story.settle();
    assert.equal(story.verdict("app").reason, "Asleep");
    story.pass(9 * HOUR_MS);
    assert.equal(story.verdict("cache").reason, "WindowClosed");
  });

  it("is deleted, or ends, from its sleep without waking", () => {
    for (const end of ["delete", "expire"] as const) {
      const story = night();
      const before = story.started.length;
      if (end === "delete") story.delete();
      else edit(story, { lifetime: { ...nights.lifetime, until: "2026-01-01T21:00:00Z" } });
      story.pass(2 * HOUR_MS);
      story.settle();
      assert.deepEqual(story.started.slice(before), ["Destroy database #3", "Destroy network #2"]);
      assert.equal(story.records.size, 0);
    }
  });

  it("is Stalled where its schedule cannot be used", () => {
    const story = aStory(shop({ lifetime: { sleep: { ...sleep, wake: "0 0 30 2 *" } } as never }));
    assert.match(story.verdict("app").message, /^spec\.lifetime\.sleep\.wake: /);
    story.round();
    assert.deepEqual(story.started, []);
  });
});
