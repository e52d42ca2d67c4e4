import assert from "node:assert/strict";
import type { WatchTiming } from "../../operator/assembly/caches.ts";
import { diceFrom } from "../fakes/world-dice.ts";
import type { Lie } from "./lies.ts";
import type { LineOptions, WatchEvent, WatchLine } from "./proxy.ts";
import { type Ending, life } from "./story.ts";

type Watching = NonNullable<LineOptions["watching"]>;

const isAbout = ({ type }: WatchEvent): boolean => type === "ADDED" || type === "MODIFIED" || type === "DELETED";

/** Events of one watch in ways that networks and servers tell them wrongly, by dice. */
const LIES: Readonly<Record<Lie, (seed: number) => Watching>> = {
  dropped: (seed) => {
    const dice = diceFrom(seed);
    return (_plural, line) => (event) => {
      if (!(isAbout(event) && dice.chance(0.3))) line.say(event);
    };
  },
  late: (seed) => {
    const dice = diceFrom(seed);
    return (_plural, line) => inOrder(line, () => (dice.chance(0.5) ? dice.below(800) : 0));
  },
  twice: () => (_plural, line) => (event) => {
    line.say(event);
    if (isAbout(event)) line.say(event);
  },
  old: (seed) => {
    const dice = diceFrom(seed);
    return (_plural, line) => {
      const before: WatchEvent[] = [];
      return (event) => {
        // As after a reconnection to a server that went back: some of the past, and then the present again.
        const from =
          isAbout(event) && before.length > 0 && dice.chance(0.3) ? dice.below(before.length) : before.length;
        before.push(event);
        for (const one of before.slice(from)) line.say(one);
      };
    };
  },
  silent: (seed) => {
    const dice = diceFrom(seed);
    return (_plural, line) => {
      let left = 1 + dice.below(6);
      return (event) => {
        left -= 1;
        if (left > 0) line.say(event);
      };
    };
  },
  "410": (seed) => {
    const dice = diceFrom(seed);
    return (_plural, line) => (event) => {
      if (!dice.chance(0.2)) return line.say(event);
      line.say(gone());
      line.end();
    };
  },
};

const gone = () =>
  ({
    type: "ERROR",
    object: { kind: "Status", code: 410, reason: "Expired", message: "too old resource version" },
  }) as unknown as WatchEvent;

/** Each event waits for its time and for all before it. */
function inOrder(line: WatchLine, delayMs: () => number): (event: WatchEvent) => void {
  let last: Promise<void> = Promise.resolve();
  return (event) => {
    const wait = new Promise<void>((resolve) => setTimeout(resolve, delayMs()));
    last = Promise.all([last, wait]).then(() => line.say(event));
  };
}

const NAMES: readonly (readonly [lie: Lie, what: string])[] = [
  ["dropped", "that are never told"],
  ["late", "that come late"],
  ["twice", "that come twice"],
  ["old", "that come once more when they are old"],
  ["silent", "of streams that fall silent and stay open"],
  ["410", "of streams that end with 410 in the middle"],
];

/** A life in which watches are told so, and the lies that they were really told. */
async function lifeWith(watching: Watching, timing: WatchTiming = {}) {
  const told: Lie[] = [];
  const ending = await life({ watching, timing, seeLie: (lie) => told.push(lie) });
  return { ending, told };
}

describe("On a real API server with events", function () {
  this.timeout(180_000);
  /** What takes minutes in a cluster is to take seconds here. */
  const timing = { silenceMs: 2_000, relistMs: 3_000 };
  let calm: Ending;

  before(async () => {
    const { ending, told } = await lifeWith((_plural, line) => line.say);
    assert.deepEqual(told, [], "the truth");
    calm = ending;
  });

  for (const [lie, what] of NAMES) {
    it(`${what}, an Environment is created, changed and deleted as ever`, async () => {
      const { ending, told } = await lifeWith(LIES[lie](7), timing);
      assert.ok(told.includes(lie), `none was told: ${told.join()}`);
      assert.deepEqual(ending.ledger, calm.ledger);
      // A server that goes back shows a spec of the past: that may cost a Run, which finds nothing to do.
      if (lie !== "old") assert.equal(ending.runs, calm.runs);
    });
  }
});
