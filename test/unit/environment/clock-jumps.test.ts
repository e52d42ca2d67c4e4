import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import type { Window } from "../../../operator/api/time.ts";
import { tally } from "../../../operator/approval/tally.ts";
import { aComponent, aLifetime, anEnvironment, T0 } from "../../fakes/objects.ts";
import { anApproval, aQuestion } from "../approval/approvals.ts";
import { aStory } from "./story.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

type Story = ReturnType<typeof aStory>;

/** Stories begin at midnight (UTC). */
const sleep = { schedule: "0 20 * * *", wake: "0 7 * * *", timeZone: "UTC" };
const nights: Window = { name: "nights", type: "Allow", schedule: "0 22 * * *", duration: "2h", timeZone: "UTC" };

function applied(spec: Partial<EnvironmentSpec>, sleeps = false): Story {
  const how = sleeps ? { sleep: { destroy: true } } : {};
  const components = [aComponent("network", how), aComponent("app", { needs: ["network"], ...how })];
  const story = aStory(anEnvironment(components, { spec }));
  story.pass(8 * HOUR);
  story.settle();
  story.started.length = 0;
  return story;
}

function failed(): Story {
  const story = aStory(anEnvironment([aComponent("network")]));
  story.round();
  story.end("network", "Failed", { reason: "PlanFailed", retry: "Backoff" });
  story.started.length = 0;
  return story;
}

function edited(story: Story): Story {
  story.edit((old) => ({ ...old, spec: { ...old.spec, variables: [{ name: "edited", value: 1 }] } }));
  return story;
}

interface Begun {
  readonly what: string;
  /** On a clock that nobody sets. */
  readonly minute: number;
}

/** Lives on for so many hours, with everything that begins ending well at once. After `jumpAfter` minutes the wall clock is set by `jumpMs`. */
function live(story: Story, hours: number, jumpAfter: number, jumpMs: number): readonly Begun[] {
  const begun: Begun[] = [];
  for (let minute = 0; minute <= hours * 60; minute += 1) {
    if (minute === jumpAfter) story.pass(jumpMs);
    const before = story.started.length;
    story.settle();
    for (const { spec } of story.openChecks()) story.endCheck(spec.component, "Unchanged");
    begun.push(...story.started.slice(before).map((what) => ({ what, minute })));
    story.pass(MINUTE);
  }
  return begun;
}

const whats = (begun: readonly Begun[]) => begun.map(({ what }) => what).toSorted();

interface Row {
  readonly name: string;
  readonly story: () => Story;
  readonly hours: number;
  /** In minutes from now. */
  readonly jumpAfter: number;
  readonly begins: readonly string[];
}

const rows: readonly Row[] = [
  {
    name: "a look for drift",
    story: () => applied({ drift: { interval: "3h" } }),
    hours: 4.5,
    jumpAfter: 60,
    begins: ["Check app #2", "Check network #2"],
  },
  {
    name: "the end of a lifetime",
    story: () => applied({ lifetime: aLifetime() }),
    hours: 18,
    jumpAfter: 60,
    begins: ["Destroy app #2", "Destroy network #2"],
  },
  {
    name: "falling asleep and waking",
    story: () => applied({ lifetime: { sleep } as NonNullable<EnvironmentSpec["lifetime"]> }, true),
    hours: 26,
    jumpAfter: 60,
    begins: ["Apply app #3", "Apply network #3", "Destroy app #2", "Destroy network #2"],
  },
  {
    name: "waking, where the jump is in the night",
    story: () => applied({ lifetime: { sleep } as NonNullable<EnvironmentSpec["lifetime"]> }, true),
    hours: 26,
    jumpAfter: 15 * 60,
    begins: ["Apply app #3", "Apply network #3", "Destroy app #2", "Destroy network #2"],
  },
  {
    name: "a window that opens",
    story: () => {
      const story = applied({});
      story.edit((old) => ({ ...old, spec: { ...old.spec, windows: [nights] } }));
      return edited(story);
    },
    hours: 17,
    jumpAfter: 60,
    begins: ["Apply app #2", "Apply network #2"],
  },
  { name: "the next try after a failure", story: failed, hours: 3, jumpAfter: 0, begins: ["Apply network #2"] },
];

describe("A wall clock that is set", () => {
  for (const { name, story, hours, jumpAfter, begins } of rows)
    for (const [how, jumpMs] of [
      ["back by an hour", -HOUR],
      ["on by an hour", HOUR],
    ] as const)
      it(`${how} moves ${name} by an hour at most, and nothing happens twice`, () => {
        const plain = live(story(), hours, jumpAfter, 0);
        const jumped = live(story(), hours, jumpAfter, jumpMs);
        assert.deepEqual([whats(plain), whats(jumped)], [begins, begins]);
        for (const { what, minute } of plain) {
          const then = jumped.find((one) => one.what === what)?.minute ?? Number.NaN;
          assert.ok(Math.abs(then - minute) <= 60, `${what}: after ${minute} minutes, and after ${then}`);
        }
      });

  it("back by an hour after a failure keeps nobody waiting: no pause is that long", () => {
    assert.deepEqual(live(failed(), 3, 0, -HOUR), [{ what: "Apply network #2", minute: 0 }]);
  });

  it("back over the end of a lifetime or the beginning of a sleep makes it day again, until the hour comes again", () => {
    const lives: readonly (readonly [story: Story, jumpAfter: number])[] = [
      [applied({ lifetime: aLifetime() }), 16 * 60 + 30],
      [applied({ lifetime: { sleep } as NonNullable<EnvironmentSpec["lifetime"]> }, true), 12 * 60 + 30],
    ];
    for (const [story, jumpAfter] of lives) {
      const begun = live(story, 18, jumpAfter, -HOUR);
      assert.deepEqual(
        begun.map(({ what }) => what.replace(/ #.*/, "")),
        ["Destroy app", "Destroy network", "Apply network", "Apply app", "Destroy app", "Destroy network"],
      );
    }
  });

  it("moves the end of a plan that waits by as much, and a word that is dated before the plan counts as well", () => {
    const half = T0 + 30 * MINUTE;
    const standing = (nowMs: number, after?: number) =>
      tally(aQuestion(), after === undefined ? [] : [anApproval({ after })], nowMs);
    assert.equal(standing(half + HOUR).standing.type, "expired");
    assert.equal(standing(half - HOUR).standing.type, "waiting");
    // Nobody could name its digest before there was the plan: the clock was set meanwhile.
    assert.equal(standing(half - HOUR, -30).standing.type, "approved");
    assert.equal(standing(half, 29).standing.type, "approved");
  });
});
