import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { act } from "../../../operator/environment/act.ts";
import { announce } from "../../../operator/environment/events.ts";
import type { EnvironmentPorts } from "../../../operator/environment/ports.ts";
import { statusFor } from "../../../operator/environment/status.ts";
import { aComponent, aLifetime, anEnvironment, T0 } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type Story = ReturnType<typeof aStory>;

const shop = (spec: Partial<EnvironmentSpec> = {}) =>
  anEnvironment([aComponent("network"), aComponent("app", { needs: ["network"] })], {
    spec: { lifetime: aLifetime(), ...spec },
  });

const edit = (story: Story, spec: Partial<EnvironmentSpec>): void =>
  story.edit((environment) => ({ ...environment, spec: { ...environment.spec, ...spec } }));

/** A story that was applied, and whose lifetime has ended. */
function ended(spec: Partial<EnvironmentSpec> = {}): Story {
  const story = aStory(shop(spec));
  story.settle();
  story.pass(DAY_MS);
  return story;
}

const statusOf = (story: Story, nowMs = T0 + DAY_MS) =>
  statusFor(story.environment(), story.decision(), { lines: [] }, new Date(nowMs));

const conditions = (story: Story, nowMs?: number) =>
  statusOf(story, nowMs)?.conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`);

const deletesObject = (story: Story): boolean => {
  const decision = story.decision();
  return decision.type === "expire" && decision.deletesObject;
};

describe("At the end of its lifetime an environment", () => {
  it("is destroyed in the reverse order, without a confirmation, and its object stays", () => {
    const story = ended();
    story.settle();
    assert.deepEqual(story.started.slice(2), ["Destroy app #2", "Destroy network #2"]);
    assert.deepEqual(
      story.runs().map(({ spec }) => spec.cause.type),
      ["Created", "Created", "Expired", "Expired"],
    );
    assert.equal(story.records.size, 0);
    const decision = story.decision();
    assert.equal(decision.type, "expire");
    assert.equal(deletesObject(story), false);
  });

  it("says so while it goes and when it is gone, and is then left alone", () => {
    const story = ended();
    story.round();
    assert.deepEqual(conditions(story), [
      "Ready=False Expired",
      "Reconciling=True Destroying",
      "Stalled=False Progressing",
      "Expiring=False Expired",
    ]);
    story.settle();
    assert.deepEqual(conditions(story), [
      "Ready=False Expired",
      "Reconciling=False Expired",
      "Stalled=False Progressing",
      "Expiring=False Expired",
    ]);
    assert.equal(statusOf(story)?.summary, "expired, 2/2 gone");
    assert.match(
      statusOf(story)?.conditions?.[0]?.message ?? "",
      /^the lifetime ended at 2026-01-02T00:00:00Z, and nothing is left; .* terrarium\.dev\/extend-until=/,
    );
    const decision = story.decision();
    assert.ok("verdicts" in decision && decision.wakeAtMs === undefined, "nothing of it comes by time any more");
  });

  it("makes nothing anew when the same manifest is applied again, or a Run is asked for", () => {
    const story = ended();
    story.settle();
    story.edit((environment) => environment);
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.pass(DAY_MS);
    story.settle();
    assert.equal(story.started.length, 4);
  });

  it("comes back when its end is put off afterwards, by annotation or by editing", () => {
    const story = ended();
    story.settle();
    story.annotate({ [ANNOTATIONS.extendUntil]: "2026-01-03T00:00:00Z" });
    story.settle();
    assert.deepEqual(story.started.slice(4), ["Apply network #3", "Apply app #3"]);
    assert.equal(story.runs().at(-1)?.spec.cause.detail, "the lifetime was extended after its end");
    assert.equal(conditions(story)?.[0], "Ready=True Applied");
    story.pass(DAY_MS);
    story.settle();
    assert.equal(story.started.at(-1), "Destroy network #4");
    edit(story, { lifetime: aLifetime({ ttl: "72h" }) });
    story.settle();
    assert.equal(story.started.at(-1), "Apply app #5");
  });

  it("is Ready without a Run where its end is put off while the plan that destroys still waits for people", () => {
    const story = ended({ approval: { required: 1, planExpiresAfter: "24h" } });
    story.round();
    story.hold("app");
    story.annotate({ [ANNOTATIONS.extendUntil]: "2026-01-03T00:00:00Z" });
    story.settle();
    assert.equal(story.superseded.length, 1);
    assert.deepEqual(story.started.slice(2), ["Destroy app #2"]);
    assert.equal(conditions(story)?.[0], "Ready=True Applied");
  });

  it("is destroyed under the rules for approval: those for destroying where there are any, and a component's own ones first", () => {
    const approval = { required: 1, unless: "plan.delete < 2", planExpiresAfter: "2h" };
    const own = { required: 3, planExpiresAfter: "24h" };
    const components = [aComponent("network"), aComponent("app", { needs: ["network"], approval: own })];
    const ofApp = { approval: { required: 3, expiresAfter: "24h" } };
    for (const [rules, expected] of [
      [approval, { required: 1, unless: "plan.delete < 2", expiresAfter: "2h" }],
      [
        { ...approval, destroy: { required: 2 } },
        { required: 2, expiresAfter: "2h" },
      ],
    ] as const) {
      const story = ended({ components, approval: rules });
      story.settle();
      const destroys = story.runs().filter(({ spec }) => spec.operation === "Destroy");
      assert.deepEqual(
        destroys.map(({ spec }) => [spec.component, spec.cause.type, spec.rules]),
        [
          ["app", "Expired", ofApp],
          ["network", "Expired", { approval: expected }],
        ],
      );
    }
  });

  it("ends a running apply before it destroys", () => {
    const story = aStory(shop());
    story.round();
    story.pass(DAY_MS);
    story.round();
    assert.deepEqual(story.started, ["Apply network #1"]);
    story.end("network", "Applied");
    story.settle();
    assert.deepEqual(story.started, ["Apply network #1", "Destroy network #2"]);
  });

  it("takes along what was removed and waits for a confirmation", () => {
    const story = aStory(shop());
    story.settle();
    edit(story, { components: [aComponent("network")] });
    story.pass(DAY_MS);
    story.settle();
    assert.deepEqual(story.started.slice(2), ["Destroy app #2", "Destroy network #2"]);
  });

  it("creates nothing at all when its end was past from the start", () => {
    const story = aStory(shop({ lifetime: aLifetime({ until: "2020-01-01T00:00:00Z" }) }));
    story.settle();
    assert.deepEqual(story.started, []);
    assert.equal(conditions(story)?.[0], "Ready=False Expired");
  });

  it("keeps and releases what its policy retains, and adopts it when it comes back", () => {
    const story = ended({ deletionPolicy: "Retain" });
    story.settle();
    assert.equal(story.started.length, 2);
    assert.deepEqual(new Set([...story.records.values()].map(({ ownership }) => ownership)), new Set(["Released"]));
    story.annotate({ [ANNOTATIONS.extendUntil]: "2026-01-03T00:00:00Z" });
    story.settle();
    assert.deepEqual(story.started.slice(2), ["Apply network #2", "Apply app #2"]);
  });

  it("waits while it is suspended, and for a window", () => {
    const suspended = ended();
    edit(suspended, { suspend: true });
    suspended.round();
    assert.equal(suspended.verdict("app").reason, "Suspended");
    const story = ended();
    const window = { name: "late", type: "Allow", schedule: "0 3 * * *", duration: "1h", timeZone: "UTC" } as const;
    edit(story, { windows: [window] });
    story.round();
    assert.equal(story.verdict("app").reason, "WindowClosed");
    assert.equal(story.started.length, 2);
    story.pass(3 * HOUR_MS);
    story.settle();
    assert.equal(story.records.size, 0);
  });

  it("needs a person where a destroy has failed too often", () => {
    const story = ended({ retry: { limit: 0 } });
    story.round();
    story.end("app", "Failed", { reason: "DestroyFailed", retry: "Backoff" });
    assert.deepEqual(conditions(story)?.slice(0, 3), [
      "Ready=False RetriesExhausted",
      "Reconciling=False RetriesExhausted",
      "Stalled=True RetriesExhausted",
    ]);
  });

  it("is deleted afterwards where the spec says so, and not before everything is gone", () => {
    const story = ended({ lifetime: aLifetime({}, "DeleteObject") });
    assert.equal(deletesObject(story), false);
    story.round();
    assert.equal(deletesObject(story), false);
    story.settle();
    assert.equal(deletesObject(story), true);
  });

  it("is deleted by the word of its decision", async () => {
    const story = ended({ lifetime: aLifetime({}, "DeleteObject") });
    story.settle();
    const deleted: string[] = [];
    const ports = {
      async deleteEnvironment({ metadata }) {
        deleted.push(metadata.name);
      },
    } satisfies Partial<EnvironmentPorts>;
    const signal = new AbortController().signal;
    await act(story.environment(), story.decision(), ports as unknown as EnvironmentPorts, signal);
    assert.deepEqual(deleted, ["shop"]);
  });
});

describe("Before the end of its lifetime an environment", () => {
  const warnsAtMs = T0 + DAY_MS - HOUR_MS;

  it("is looked at when the warning is due, and when the end is", () => {
    const story = aStory(shop());
    story.settle();
    const wakes = () => {
      const decision = story.decision();
      return "verdicts" in decision ? decision.wakeAtMs : undefined;
    };
    assert.equal(wakes(), warnsAtMs);
    story.pass(DAY_MS - HOUR_MS);
    assert.equal(wakes(), T0 + DAY_MS);
  });

  it("stays Ready and warns by a condition that says how to put it off", () => {
    const story = aStory(shop());
    story.settle();
    assert.equal(conditions(story, T0)?.[3], "Expiring=False Lasting");
    const late = statusOf(story, warnsAtMs)?.conditions ?? [];
    assert.equal(late[0]?.status, "True");
    assert.equal(
      late[3]?.message,
      "everything is destroyed at 2026-01-02T00:00:00Z; to put that off: kubectl annotate environment shop --overwrite terrarium.dev/extend-until=<time, as in 2026-12-31T18:00:00Z>",
    );
  });

  it("warns by one event, and tells the end by one", () => {
    const story = aStory(shop());
    story.settle();
    const told: string[] = [];
    const look = (nowMs: number) => {
      const status = statusOf(story, nowMs);
      assert.ok(status !== undefined);
      const event = (_: unknown, type: string, reason: string) => void told.push(`${type} ${reason}`);
      announce(story.environment(), status, { event });
      story.edit((environment) => ({ ...environment, status }));
    };
    look(T0);
    told.length = 0;
    look(warnsAtMs);
    look(warnsAtMs + 1000);
    assert.deepEqual(told, ["Warning Expiring"]);
    story.pass(DAY_MS);
    look(T0 + DAY_MS);
    look(T0 + DAY_MS + 1000);
    assert.equal(told.filter((line) => line === "Normal Expired").length, 1);
  });

  it("has no such condition without an end, unless it had one: then it is False", () => {
    assert.equal(conditions(aStory(anEnvironment([aComponent("a")])))?.length, 3);
    const story = aStory(shop());
    story.settle();
    const status = statusOf(story, warnsAtMs);
    story.edit((environment) => ({
      ...anEnvironment(environment.spec.components),
      ...(status === undefined ? {} : { status }),
    }));
    assert.equal(conditions(story, warnsAtMs)?.[3], "Expiring=False Lasting");
  });
});
