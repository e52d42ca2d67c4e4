import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { Window } from "../../../operator/api/time.ts";
import { statusFor } from "../../../operator/environment/status.ts";
import { aComponent, anEnvironment, T0 } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

const HOUR_MS = 3_600_000;

/** From ten to midnight; stories begin at midnight. */
const nights: Window = { name: "nights", type: "Allow", schedule: "0 22 * * *", duration: "2h", timeZone: "UTC" };
const OPENS = "2026-01-01T22:00:00Z";

const shop = (spec: Partial<EnvironmentSpec> = {}) =>
  anEnvironment([aComponent("network"), aComponent("app", { needs: ["network"] })], {
    spec: { windows: [nights], ...spec },
  });

type Story = ReturnType<typeof aStory>;

const edit = (story: Story, spec: Partial<EnvironmentSpec>): void =>
  story.edit((environment) => ({ ...environment, spec: { ...environment.spec, ...spec } }));

function statusOf(story: Story) {
  return statusFor(story.environment(), story.decision(), { lines: [] }, new Date(T0));
}

const conditions = (story: Story) =>
  statusOf(story)?.conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`);

/** A story whose environment was applied in the first night. */
function applied(spec: Partial<EnvironmentSpec> = {}): Story {
  const story = aStory(shop(spec));
  story.pass(22 * HOUR_MS);
  story.settle();
  return story;
}

describe("Outside of the windows", () => {
  it("nothing begins, the message says when it will, and then it does", () => {
    const story = aStory(shop());
    story.round();
    assert.deepEqual(story.started, []);
    const { state, reason, message, wakeAtMs } = story.verdict("network");
    assert.deepEqual([state, reason, wakeAtMs], ["Suspended", "WindowClosed", Date.parse(OPENS)]);
    assert.equal(message, `no window is open: the next one opens at ${OPENS}`);
    assert.equal(story.verdict("app").state, "Blocked");
    story.pass(22 * HOUR_MS - 1);
    story.round();
    assert.deepEqual(story.started, []);
    story.pass(1);
    story.settle();
    assert.deepEqual(story.started, ["Apply network #1", "Apply app #1"]);
  });

  it("tools see progress, not a fault: time will bring it", () => {
    assert.deepEqual(conditions(aStory(shop())), [
      "Ready=False WindowClosed",
      "Reconciling=True Progressing",
      "Stalled=False Progressing",
    ]);
  });

  it("what is applied stays Ready", () => {
    const story = applied();
    story.pass(6 * HOUR_MS);
    assert.deepEqual(conditions(story)?.[0], "Ready=True Applied");
  });

  it("what was under way at the end of the window ends, and its dependents wait for the next one", () => {
    const story = aStory(shop());
    story.pass(24 * HOUR_MS - 1000);
    story.round();
    story.pass(2_000);
    assert.equal(story.verdict("network").state, "Pending", "its Run is open");
    story.end("network", "Applied");
    story.round();
    assert.deepEqual(story.started, ["Apply network #1"]);
    assert.equal(story.verdict("app").reason, "WindowClosed");
  });

  it("a failed try is not repeated before the next window", () => {
    const story = aStory(shop());
    story.pass(24 * HOUR_MS - 1000);
    story.round();
    story.end("network", "Failed", { retry: "Backoff" });
    story.pass(HOUR_MS);
    story.round();
    assert.equal(story.verdict("network").reason, "WindowClosed");
    story.pass(21 * HOUR_MS + 1000);
    story.round();
    assert.equal(story.started.length, 2);
  });

  it("a removal and a deletion wait, too", () => {
    const story = applied();
    story.pass(6 * HOUR_MS);
    edit(story, { components: [aComponent("network")] });
    story.annotate({ [ANNOTATIONS.confirmDestroy]: "app" });
    assert.equal(story.verdict("app").reason, "WindowClosed");
    story.delete();
    story.round();
    assert.equal(story.verdict("app").reason, "WindowClosed");
    assert.equal(story.started.length, 2);
    story.pass(18 * HOUR_MS);
    story.settle();
    assert.equal(story.decision().type, "letGo");
  });

  it("asking for a Run does not open them, nor does suspending hide that a person holds it back", () => {
    const story = applied();
    story.pass(6 * HOUR_MS);
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    assert.equal(story.verdict("network").reason, "WindowClosed");
    edit(story, { suspend: true });
    assert.equal(story.verdict("network").reason, "Suspended");
  });

  it("changed windows count at once", () => {
    const story = aStory(shop());
    edit(story, { windows: [{ ...nights, schedule: "0 0 * * *" }] });
    story.round();
    assert.deepEqual(story.started, ["Apply network #1"]);
  });

  it("a clock that jumps over a window does not open it, and one that jumps back does", () => {
    const story = aStory(shop());
    story.pass(25 * HOUR_MS);
    story.round();
    assert.deepEqual(story.started, []);
    story.pass(-2 * HOUR_MS);
    story.round();
    assert.deepEqual(story.started, ["Apply network #1"]);
  });
});

describe("A plan that waits when the window has closed", () => {
  const held = (required: number) => {
    const story = aStory(shop({ approval: { required, planExpiresAfter: "24h" } }));
    story.pass(24 * HOUR_MS - 1000);
    story.round();
    story.hold("network");
    story.pass(HOUR_MS);
    return story;
  };

  it("is shown to wait for the next one where nobody has to be asked", () => {
    const { state, reason, message } = held(0).verdict("network");
    assert.deepEqual([state, reason], ["Suspended", "WindowClosed"]);
    assert.equal(message, "its plan may be applied; no window is open: the next one opens at 2026-01-02T22:00:00Z");
  });

  it("is shown to wait for people as long as they are asked", () => {
    assert.equal(held(1).verdict("network").reason, "AwaitingApproval");
  });
});

describe("The override of the windows", () => {
  const overridden = (reason = "the shop is down") => {
    const story = aStory(shop());
    story.annotate({ [ANNOTATIONS.windowOverride]: reason });
    return story;
  };
  const isSpent = (story: Story): boolean => {
    const decision = story.decision();
    return "overrideSpent" in decision && decision.overrideSpent === true;
  };

  it("begins at once, and the Run says why", () => {
    const story = overridden();
    story.round();
    const [run] = story.runs();
    assert.deepEqual(run?.spec.cause, { type: "Created", detail: "outside of the windows: the shop is down" });
  });

  it("stays while something moves, and is taken off when all is at rest", () => {
    const story = overridden();
    assert.equal(isSpent(story), false);
    story.round();
    assert.equal(isSpent(story), false, "a Run is open");
    story.end("network", "Failed", { retry: "Backoff" });
    assert.equal(isSpent(story), false, "another try comes");
    story.pass(HOUR_MS);
    story.settle();
    assert.deepEqual(story.started.at(-1), "Apply app #1");
    assert.equal(isSpent(story), true);
  });

  it("is taken off when only a person could go on", () => {
    const story = overridden();
    story.round();
    story.end("network", "Failed", { retry: "Never" });
    assert.equal(isSpent(story), true);
  });

  it("is taken off when a window is open anyway, and where there are no windows", () => {
    const story = overridden();
    story.pass(22 * HOUR_MS);
    assert.equal(isSpent(story), true);
    edit(story, { windows: [] });
    assert.equal(isSpent(story), true);
  });

  it("needs a reason: an empty one opens nothing", () => {
    const story = overridden("  ");
    story.round();
    assert.deepEqual(story.started, []);
  });
});

describe("A schedule that cannot be used", () => {
  const broken = { ...nights, timeZone: "Mars/Olympus" };

  it("is told at once with its path, and nothing begins", () => {
    const story = aStory(shop({ windows: [broken] }));
    story.round();
    assert.deepEqual(story.started, []);
    const { state, reason, message } = story.verdict("network");
    assert.deepEqual([state, reason], ["Stalled", "ScheduleInvalid"]);
    assert.match(message, /^spec\.windows\[nights\]\.timeZone: the time zone Mars\/Olympus is not/);
  });

  it("is told of what is applied, too, and of what is to go", () => {
    const story = applied();
    edit(story, { windows: [broken] });
    assert.equal(conditions(story)?.[2], "Stalled=True ScheduleInvalid");
    story.delete();
    story.round();
    assert.equal(story.verdict("app").reason, "ScheduleInvalid");
    edit(story, { windows: [] });
    story.settle();
    assert.equal(story.decision().type, "letGo");
  });

  it("is one whose windows never open", () => {
    const story = aStory(shop({ windows: [{ ...nights, schedule: "0 0 30 2 *" }] }));
    assert.match(story.verdict("network").message, /^spec\.windows\[nights\]\.schedule: .*no calendar has/);
    edit(story, {
      windows: [nights, { ...nights, name: "never", type: "Deny", schedule: "0 20 * * *", duration: "6h" }],
    });
    assert.match(story.verdict("network").message, /^spec\.windows: none that allows opens within a year/);
  });
});
