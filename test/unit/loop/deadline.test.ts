import assert from "node:assert/strict";
import { aborted, deadline } from "../../../operator/loop/deadline.ts";
import { fakeClock } from "./fake-clock.ts";

describe("A deadline", () => {
  it("aborts when the time is over, and says so", async () => {
    const clock = fakeClock();
    const { signal } = deadline(clock, 100, "too late", undefined);
    await clock.advance(99);
    assert.equal(signal.aborted, false);
    await clock.advance(1);
    assert.equal(signal.reason.message, "too late");
  });

  it("aborts with the outer signal, and with its reason", () => {
    const outer = new AbortController();
    const early = deadline(fakeClock(), 100, "too late", outer.signal);
    outer.abort("given up");
    const late = deadline(fakeClock(), 100, "too late", outer.signal);
    assert.deepEqual([early.signal.reason, late.signal.reason], ["given up", "given up"]);
  });

  it("whose clock is stopped still follows the outer signal", async () => {
    const clock = fakeClock();
    const outer = new AbortController();
    const limit = deadline(clock, 100, "too late", outer.signal);
    limit.stopClock();
    await clock.advance(200);
    assert.equal(limit.signal.aborted, false);
    outer.abort();
    assert.equal(limit.signal.aborted, true);
  });

  it("that has ended aborts nothing and leaves no timer", () => {
    const clock = fakeClock();
    const outer = new AbortController();
    const limit = deadline(clock, 100, "too late", outer.signal);
    limit.end();
    outer.abort();
    assert.deepEqual([limit.signal.aborted, clock.pending()], [false, 0]);
  });

  it("need not be the only end: a signal can be awaited, before and after it aborts", async () => {
    const outer = new AbortController();
    const waiting = aborted(outer.signal);
    outer.abort();
    await Promise.all([waiting, aborted(outer.signal)]);
  });
});
