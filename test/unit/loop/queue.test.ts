import assert from "node:assert/strict";
import fc from "fast-check";
import { failed, type Outcome, settled, stalled, waiting } from "../../../operator/loop/outcome.ts";
import { createQueue, type QueueOptions } from "../../../operator/loop/queue.ts";
import { type FakeClock, fakeClock, settle } from "./fake-clock.ts";

/** A queue whose rounds end when the test says so. */
function aQueue(options: Partial<QueueOptions> = {}) {
  const clock = fakeClock();
  const rounds: { key: string; at: number; signal: AbortSignal; end: (outcome: Outcome) => void }[] = [];
  const queue = createQueue({
    clock,
    random: () => 0.5,
    work: (key, signal) =>
      new Promise((end) => {
        rounds.push({ key, at: clock.monotonicMs(), signal, end });
      }),
    ...options,
  });
  queue.start();
  return { clock, queue, rounds, keys: () => rounds.map((round) => round.key) };
}

/** A queue whose rounds end at once. */
function aQuickQueue(outcomeOf: (key: string, round: number) => Outcome | Promise<Outcome>, options = {}) {
  const clock = fakeClock();
  const done: { key: string; at: number }[] = [];
  const queue = createQueue({
    clock,
    random: () => 0.5,
    work: async (key) => {
      done.push({ key, at: clock.monotonicMs() });
      return outcomeOf(key, done.filter((each) => each.key === key).length);
    },
    ...options,
  });
  queue.start();
  return { clock, queue, times: (key: string) => done.filter((each) => each.key === key).map((each) => each.at) };
}

describe("the work queue", () => {
  it("folds what is added twice before it is worked on", async () => {
    const { queue, keys, rounds } = aQueue({ workers: 1 });
    for (const key of ["a", "b", "b", "b"]) queue.add(key);
    rounds[0]?.end(settled);
    await settle();
    rounds[1]?.end(settled);
    await settle();
    assert.deepEqual(keys(), ["a", "b"]);
  });

  it("works on a key once more when it was added meanwhile, and not at the same time", async () => {
    const { queue, keys, rounds } = aQueue({ workers: 4 });
    queue.add("a");
    queue.add("a");
    queue.add("a");
    assert.deepEqual(keys(), ["a"]);
    rounds[0]?.end(settled);
    await settle();
    assert.deepEqual(keys(), ["a", "a"]);
  });

  it("a key that is always added again does not starve the others", async () => {
    const { queue, keys, rounds } = aQueue({ workers: 1 });
    for (const key of ["busy", "b", "c"]) queue.add(key);
    for (let i = 0; i < 4; i += 1) {
      if (rounds[i]?.key === "busy") queue.add("busy");
      rounds[i]?.end(settled);
      await settle();
    }
    assert.deepEqual(keys(), ["busy", "b", "c", "busy", "busy"]);
  });

  it("the earliest of several delays wins", async () => {
    const { queue, clock, times } = aQuickQueue(() => settled);
    queue.addAfter("a", 5_000);
    queue.addAfter("a", 2_000);
    queue.addAfter("a", 9_000);
    await clock.advance(20_000);
    assert.deepEqual(times("a"), [2_000]);
  });

  it("what changes comes at once, however long it was to wait", async () => {
    const { queue, clock, times } = aQuickQueue(() => settled);
    queue.addAfter("a", 60_000);
    await clock.advance(1_000);
    queue.add("a");
    await clock.advance(120_000);
    assert.deepEqual(times("a"), [1_000]);
  });

  it("waiting comes back when it said, stalled and settled do not", async () => {
    const { queue, clock, times } = aQuickQueue((key, round) =>
      round > 1 ? settled : key === "waiting" ? waiting(30_000) : key === "stalled" ? stalled : settled,
    );
    for (const key of ["waiting", "stalled", "settled"]) queue.add(key);
    await clock.advance(3_600_000);
    assert.deepEqual([times("waiting"), times("stalled"), times("settled")], [[0, 30_000], [0], [0]]);
  });

  it("failures back off from one second to five minutes, a success forgets them", async () => {
    const { queue, clock, times } = aQuickQueue((_, round) => (round === 12 ? settled : failed(new Error("no"))));
    queue.add("a");
    await clock.advance(2_000_000);
    const pauses = times("a").map((at, i, all) => at - (all[i - 1] ?? 0));
    assert.deepEqual(
      pauses.map((ms) => ms / 1000),
      [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300],
    );
    const before = clock.monotonicMs();
    queue.add("a");
    await clock.advance(1_500);
    assert.deepEqual(
      times("a")
        .slice(12)
        .map((at) => at - before),
      [0, 1_000],
    );
  });

  it("a round that throws delays its own key only", async () => {
    const { queue, clock, times } = aQuickQueue((key) => {
      if (key === "bad") throw new Error("bug");
      return settled;
    });
    queue.add("bad");
    queue.add("good");
    await clock.advance(100);
    queue.add("good");
    await clock.advance(100);
    assert.deepEqual([times("bad"), times("good")], [[0], [0, 100]]);
  });

  it("a change during a round that fails is looked at soon, but not at once", async () => {
    const { queue, clock, rounds } = aQueue();
    queue.add("a");
    for (let i = 0; i < 6; i += 1) {
      rounds[i]?.end(failed(new Error("no")));
      await clock.advance(300_000);
    }
    const last = rounds.at(-1);
    queue.add("a");
    const at = clock.monotonicMs();
    last?.end(failed(new Error("no")));
    await clock.advance(300_000);
    assert.equal(rounds[7]?.at, at + 1_000);
  });

  it("tells how it is", async () => {
    const { queue, clock } = aQueue({ workers: 1 });
    for (const key of ["a", "b", "c"]) queue.add(key);
    queue.addAfter("d", 60_000);
    await clock.advance(3_000);
    assert.deepEqual(queue.measure(), { ready: 2, oldestMs: 3_000, busy: 1, delayed: 1 });
  });

  it("a hook that throws loses no key", async () => {
    const hooks = {
      onDone: () => {
        throw new Error("hook");
      },
    };
    const { queue, clock, times } = aQuickQueue(() => waiting(1_000), { hooks });
    queue.add("a");
    await clock.advance(2_500);
    assert.deepEqual(times("a"), [0, 1_000, 2_000]);
  });

  describe("stops", () => {
    it("at once when nothing runs", async () => {
      const { queue, clock } = aQueue();
      queue.addAfter("a", 1_000);
      await queue.stop(10_000);
      assert.equal(clock.pending(), 0);
    });

    it("after the running rounds, and begins no new ones", async () => {
      const { queue, rounds, keys } = aQueue({ workers: 1 });
      queue.add("a");
      queue.add("b");
      let stopped = false;
      const stopping = queue.stop(10_000).then(() => {
        stopped = true;
      });
      await settle();
      assert.equal(stopped, false);
      queue.add("c");
      rounds[0]?.end(waiting(1));
      await stopping;
      assert.deepEqual(keys(), ["a"]);
    });

    it("and aborts a round that outlives the grace", async () => {
      const { queue, clock, rounds } = aQueue();
      queue.add("a");
      const stopping = queue.stop(10_000);
      await clock.advance(9_999);
      assert.equal(rounds[0]?.signal.aborted, false);
      await clock.advance(1);
      assert.equal(rounds[0]?.signal.aborted, true);
      rounds[0]?.end(settled);
      await stopping;
    });
  });

  describe("whatever happens in whatever order", () => {
    const keys = fc.constantFrom("a", "b", "c", "d", "e");
    const outcomes = fc.oneof(
      fc.constant(settled),
      fc.constant(stalled),
      fc.nat(20_000).map(waiting),
      fc.constant(failed(new Error("no"))),
    );
    const actions = fc.oneof(
      fc.record({ type: fc.constant("add" as const), key: keys }),
      fc.record({ type: fc.constant("addAfter" as const), key: keys, ms: fc.nat(20_000) }),
      fc.record({ type: fc.constant("end" as const), which: fc.nat(), outcome: outcomes }),
      fc.record({ type: fc.constant("throw" as const), which: fc.nat() }),
      fc.record({ type: fc.constant("advance" as const), ms: fc.nat(10_000) }),
    );

    it("no key is worked on twice at once, no more keys than workers, and nothing that was added is lost", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(actions, { maxLength: 60, size: "large" }),
          fc.integer({ min: 1, max: 3 }),
          async (story, workers) => {
            await new Story(workers).play(story);
          },
        ),
        { numRuns: 300 },
      );
    });

    type Action = typeof actions extends fc.Arbitrary<infer A> ? A : never;

    class Story {
      readonly clock: FakeClock = fakeClock();
      /** Keys with a change that no round has begun to look at. */
      readonly owed = new Set<string>();
      readonly running: { key: string; end: (outcome: Outcome) => void; fail: (error: Error) => void }[] = [];
      /** Thrown errors would be the queue's to handle. */
      readonly broken: string[] = [];
      readonly queue;
      readonly workers: number;

      constructor(workers: number) {
        this.workers = workers;
        this.queue = createQueue({ clock: this.clock, workers, work: (key) => this.#work(key) });
        this.queue.start();
      }

      #work(key: string): Promise<Outcome> {
        if (this.running.some((round) => round.key === key)) this.broken.push(`${key} is worked on twice at once`);
        this.owed.delete(key);
        return new Promise((end, fail) => {
          this.running.push({ key, end, fail });
          if (this.running.length > this.workers) this.broken.push("more rounds than workers");
        });
      }

      async play(story: readonly Action[]): Promise<void> {
        for (const action of story) await this.#step(action);
        // From here on every round ends well: whatever is owed has to be worked on within the longest pause.
        for (let i = 0; i < 400 && (this.owed.size > 0 || this.running.length > 0); i += 1) {
          for (const round of this.running.splice(0)) round.end(settled);
          await this.clock.advance(1_000);
        }
        assert.deepEqual([...this.owed], [], "was added and never worked on");
        assert.deepEqual(this.broken, []);
      }

      async #step(action: Action): Promise<void> {
        switch (action.type) {
          case "add":
            this.owed.add(action.key);
            this.queue.add(action.key);
            break;
          case "addAfter":
            this.owed.add(action.key);
            this.queue.addAfter(action.key, action.ms);
            break;
          case "advance":
            return this.clock.advance(action.ms);
          default: {
            const [round] = this.running.splice(action.which % Math.max(1, this.running.length), 1);
            if (action.type === "end") round?.end(action.outcome);
            else round?.fail(new Error("thrown"));
          }
        }
        await settle();
      }
    }
  });
});
