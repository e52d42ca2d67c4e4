import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import {
  conditions,
  DAY,
  destroyed,
  edit,
  evening,
  HOUR_MS,
  night,
  nights,
  shop,
  sleep,
  statusOf,
  WAKES,
} from "./sleep-story.ts";
import { aStory } from "./story.ts";

describe("An environment that falls asleep", () => {
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
