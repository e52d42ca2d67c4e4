import assert from "node:assert/strict";
import { diceFrom } from "../fakes/world-dice.ts";
import type { LineOptions, WatchEvent, WatchLine } from "./proxy.ts";
import { type Ending, life } from "./story.ts";

type Watching = NonNullable<LineOptions["watching"]>;

const isAbout = ({ type }: WatchEvent): boolean => type === "ADDED" || type === "MODIFIED" || type === "DELETED";

const GOES_BACK = "that come once more when they are old";

/** Events of one watch in ways that networks and servers tell them wrongly, by dice. */
const lies: Readonly<Record<string, (seed: number) => Watching>> = {
  "that are never told": (seed) => {
    const dice = diceFrom(seed);
    return (_plural, line) => (event) => {
      if (!(isAbout(event) && dice.chance(0.3))) line.say(event);
    };
  },
  "that come late": (seed) => {
    const dice = diceFrom(seed);
    return (_plural, line) => inOrder(line, () => (dice.chance(0.5) ? dice.below(800) : 0));
  },
  "that come twice": () => (_plural, line) => (event) => {
    line.say(event);
    if (isAbout(event)) line.say(event);
  },
  [GOES_BACK]: (seed) => {
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
  "of streams that fall silent and stay open": (seed) => {
    const dice = diceFrom(seed);
    return (_plural, line) => {
      let left = 1 + dice.below(6);
      return (event) => {
        left -= 1;
        if (left > 0) line.say(event);
      };
    };
  },
  "of streams that end with 410 in the middle": (seed) => {
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

describe("On a real API server with events", function () {
  this.timeout(180_000);
  /** What takes minutes in a cluster is to take seconds here. */
  const timing = { silenceMs: 2_000, relistMs: 3_000 };
  let calm: Ending;

  before(async () => {
    calm = await life();
  });

  for (const [what, watching] of Object.entries(lies)) {
    it(`${what}, an Environment is created, changed and deleted as ever`, async () => {
      const ending = await life({ watching: watching(7), timing });
      assert.deepEqual(ending.ledger, calm.ledger);
      // A server that goes back shows a spec of the past: that may cost a Run, which finds nothing to do.
      if (what !== GOES_BACK) assert.equal(ending.runs, calm.runs);
    });
  }
});
