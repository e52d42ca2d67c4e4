import assert from "node:assert/strict";
import { createTurns, TooBusy } from "../../../operator/resolver/turns.ts";
import { settle } from "../loop/fake-clock.ts";

describe("createTurns", () => {
  const never = new AbortController().signal;

  function tasks(limits: Parameters<typeof createTurns>[0]) {
    const turns = createTurns(limits);
    const running: string[] = [];
    const ends = new Map<string, () => void>();
    const start = (name: string, host: string, signal = never) =>
      turns.take(host, signal, async () => {
        running.push(name);
        await new Promise<void>((resolve) => ends.set(name, resolve));
        running.splice(running.indexOf(name), 1);
      });
    const end = async (name: string) => {
      ends.get(name)?.();
      await settle();
    };
    return { start, end, running };
  }

  it("does no more than the total at once, in order of arrival", async () => {
    const { start, end, running } = tasks({ total: 2, perHost: 2, waiting: 9 });
    const all = ["a", "b", "c", "d"].map((name) => start(name, name));
    await settle();
    assert.deepEqual(running, ["a", "b"]);
    await end("a");
    assert.deepEqual(running, ["b", "c"]);
    await end("b");
    await end("c");
    await end("d");
    await Promise.all(all);
  });

  it("lets others pass while one host is slow", async () => {
    const { start, running } = tasks({ total: 3, perHost: 1, waiting: 9 });
    for (const name of ["slow-1", "slow-2"]) void start(name, "slow");
    void start("quick", "quick");
    await settle();
    assert.deepEqual(running, ["slow-1", "quick"]);
  });

  it("refuses when too many wait", async () => {
    const { start } = tasks({ total: 1, perHost: 1, waiting: 1 });
    void start("a", "x");
    void start("b", "x");
    await assert.rejects(start("c", "x"), TooBusy);
  });

  it("forgets who gave up", async () => {
    const { start, end, running } = tasks({ total: 1, perHost: 1, waiting: 1 });
    const caller = new AbortController();
    void start("a", "x");
    const waiting = start("b", "x", caller.signal);
    caller.abort(new Error("gave up"));
    await assert.rejects(waiting, /gave up/);
    void start("c", "x");
    await end("a");
    assert.deepEqual(running, ["c"]);
  });

  it("goes on after a task that fails", async () => {
    const turns = createTurns({ total: 1, perHost: 1, waiting: 1 });
    await assert.rejects(
      turns.take("x", never, () => Promise.reject(new Error("broken"))),
      /broken/,
    );
    assert.equal(await turns.take("x", never, async () => "fine"), "fine");
  });
});
