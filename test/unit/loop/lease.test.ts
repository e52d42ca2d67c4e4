import assert from "node:assert/strict";
import fc from "fast-check";
import { createElection, type Election } from "../../../operator/loop/lease.ts";
import { type FakeClock, fakeClock } from "./fake-clock.ts";
import { type FakeLeases, fakeLeases } from "./fake-leases.ts";

interface Candidate extends Election {
  readonly line: { cut: boolean; losesAnswers?: boolean };
  readonly lost: string[];
  readonly ledAt: number[];
  leave(): Promise<void>;
}

describe("leader election", () => {
  let clock: FakeClock;
  let leases: FakeLeases;
  let candidates: Candidate[];

  beforeEach(() => {
    clock = fakeClock();
    leases = fakeLeases(clock);
    candidates = [];
  });

  /** `aheadMs`: how wrong its clock on the wall is. */
  const aCandidate = (identity: string, aheadMs = 0): Candidate => {
    const line: Candidate["line"] = { cut: false };
    const lost: string[] = [];
    const ledAt: number[] = [];
    const abort = new AbortController();
    const election = createElection({
      client: leases.lineTo(line),
      clock: { ...clock, now: () => new Date(clock.now().getTime() + aheadMs) },
      random: () => 0.5,
      namespace: "terrarium",
      name: "operator",
      identity,
      onLeading: () => ledAt.push(clock.monotonicMs()),
      onLost: (why) => lost.push(why),
    });
    const running = election.run(abort.signal);
    const leave = () => {
      abort.abort();
      return running;
    };
    const candidate = { ...election, line, lost, ledAt, leave };
    candidates.push(candidate);
    return candidate;
  };
  const leaders = () => candidates.filter((candidate) => candidate.isLeading()).length;

  it("one of two leads, and goes on leading", async () => {
    const [a, b] = [aCandidate("a"), aCandidate("b")];
    await clock.advance(120_000);
    assert.deepEqual([a.isLeading(), b.isLeading(), leases.holder()], [true, false, "a"]);
    assert.ok(leases.writes() <= 62, "renewed every two seconds by the leader alone");
  });

  for (const hours of [-1, 1]) {
    it(`a leader that renews is left alone by one whose clock is ${hours} h ahead`, async () => {
      const [a, b] = [aCandidate("a"), aCandidate("b", hours * 3_600_000)];
      await clock.advance(60_000);
      assert.deepEqual([a.isLeading(), b.isLeading(), a.lost], [true, false, []]);
    });

    it(`a leader that vanished is followed after the lease by one whose clock is ${hours} h ahead`, async () => {
      const [a, b] = [aCandidate("a"), aCandidate("b", hours * 3_600_000)];
      await clock.advance(10_000);
      a.line.cut = true;
      await clock.advance(25_000);
      assert.deepEqual([a.isLeading(), b.isLeading()], [false, true]);
    });
  }

  it("a leader that goes in good order hands over within one look of the other", async () => {
    const [a, b] = [aCandidate("a"), aCandidate("b")];
    await clock.advance(20_000);
    await a.leave();
    assert.equal(a.isLeading(), false);
    await clock.advance(2_000);
    assert.ok(b.isLeading());
    assert.deepEqual(a.lost, []);
  });

  it("a leader that vanishes is followed after the lease, not before", async () => {
    const a = aCandidate("a");
    await clock.advance(10_000);
    const b = aCandidate("b");
    await clock.advance(10_000);
    a.line.cut = true;
    const cutAt = clock.monotonicMs();
    await clock.advance(30_000);
    const [tookOverAt = 0] = b.ledAt;
    assert.ok(tookOverAt - cutAt > 12_000 && tookOverAt - cutAt <= 19_000, `after ${tookOverAt - cutAt} ms`);
  });

  it("a leader that cannot renew gives up before the lease is over", async () => {
    const a = aCandidate("a");
    await clock.advance(10_000);
    a.line.cut = true;
    await clock.advance(10_001);
    assert.equal(a.isLeading(), false);
    await clock.advance(5_000);
    assert.match(a.lost.join(), /not renewed for 10000 ms/);
  });

  it("a short outage costs nothing", async () => {
    const a = aCandidate("a");
    await clock.advance(10_000);
    a.line.cut = true;
    await clock.advance(4_000);
    a.line.cut = false;
    await clock.advance(60_000);
    assert.deepEqual([a.isLeading(), a.lost], [true, []]);
  });

  it("a renewal whose answer was lost is found again", async () => {
    const a = aCandidate("a");
    await clock.advance(10_000);
    a.line.losesAnswers = true;
    await clock.advance(3_000);
    a.line.losesAnswers = false;
    await clock.advance(60_000);
    assert.deepEqual([a.isLeading(), a.lost], [true, []]);
  });

  it("a process that was frozen for a minute knows at once that it leads no more, and ends", async () => {
    const a = aCandidate("a");
    await clock.advance(10_000);
    assert.ok(a.isLeading());
    const writes = leases.writes();
    clock.freeze(60_000);
    assert.equal(a.isLeading(), false, "before any timer has fired");
    await clock.advance(3_000);
    assert.equal(a.lost.length, 1);
    assert.equal(leases.writes(), writes, "it does not even renew");
  });

  it("somebody else's label on the lease is no loss", async () => {
    const a = aCandidate("a");
    await clock.advance(10_000);
    leases.label();
    await clock.advance(60_000);
    assert.deepEqual([a.isLeading(), a.lost], [true, []]);
  });

  it("a lease that somebody deleted is lost: another one may have made a new one", async () => {
    const a = aCandidate("a");
    await clock.advance(10_000);
    leases.remove();
    await clock.advance(3_000);
    assert.match(a.lost.join(), /somebody deleted it/);
    assert.equal(a.isLeading(), false);
  });

  it("an API server that is away at the start is waited for", async () => {
    const a = aCandidate("a");
    a.line.cut = true;
    await clock.advance(120_000);
    assert.equal(a.isLeading(), false);
    a.line.cut = false;
    await clock.advance(10_000);
    assert.ok(a.isLeading());
  });

  it("never do two lead, whose line is cut whenever", async () => {
    const fault = fc.record({ who: fc.nat(2), what: fc.constantFrom("cut", "mend", "lose"), ms: fc.nat(12_000) });
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { maxLength: 15, size: "large" }), async (faults) => {
        clock = fakeClock();
        leases = fakeLeases(clock);
        candidates = [];
        for (const identity of ["a", "b", "c"]) aCandidate(identity);
        for (const { who, what, ms } of faults) {
          const line = candidates[who]?.line;
          if (line !== undefined) Object.assign(line, { cut: what === "cut", losesAnswers: what === "lose" });
          for (let passed = 0; passed < ms; passed += 500) {
            await clock.advance(500);
            assert.ok(leaders() <= 1);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
