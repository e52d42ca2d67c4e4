import assert from "node:assert/strict";
import type { Fate, Seen } from "./proxy.ts";
import { realEngines } from "./real-engines.ts";
import { interruption, life, type Story } from "./story.ts";
import { assertSwept, isAsCalm, OPERATOR, sweep } from "./sweep.ts";
import { isWhole } from "./whole.ts";

/** With the runner's real programs and a real engine, which take a second or two for each Run. */
const real =
  (story: Story): Story =>
  (trouble = {}) =>
    story({ ...trouble, engines: realEngines });

describe("An Environment on a real API server, with a real engine", function () {
  this.timeout(isWhole ? 3_600_000 : 300_000);

  it("is created, changed and deleted: each resource is made, replaced and destroyed once", async () => {
    const { ledger, runs, pods } = await real(life)();
    assert.deepEqual(ledger, [
      "create first v1 by engine 1",
      "create second v1 by engine 1",
      "destroy second v1 by engine 2",
      "destroy first v1 by engine 2",
      "create first v2 by engine 2",
      "create second v2 by engine 2",
      "destroy second v2 by engine 3",
      "destroy first v2 by engine 3",
    ]);
    assert.deepEqual([runs, pods], [3, 3]);
  });

  it("is interrupted by a kill between two resources, and goes on when a person approves the plan for the rest", async () => {
    const { ledger, runs, pods } = await real(interruption)();
    assert.deepEqual(ledger, [
      "create first v1 by engine 1",
      // The first one was not in the state yet when the engine was killed: the journal names it.
      "create first v1 by engine 2",
      "create second v1 by engine 2",
      "destroy second v1 by engine 3",
      "destroy first v1 by engine 3",
    ]);
    assert.deepEqual([runs, pods], [3, 4], "the plan that waited has a pod of its own");
  });

  it("goes on with the next gateway, in the middle of things, whenever one is killed", async () => {
    const calm = await real(life)();
    const dies = (write: number) => write % 8 === 0;
    const gatewayFateOf = ({ write }: Seen): Fate => ({ type: dies(write) ? "killedAfter" : "goes" });
    const ending = await real(life)({ gatewayFateOf });
    isAsCalm(ending, calm);
    const deaths = ending.gateway.log.filter((line) => line.endsWith(": killedAfter"));
    assert.ok(deaths.length >= 4, `${deaths.length} were killed`);
  });

  if (isWhole)
    it("keeps to that ledger, whatever happens to any one of the operator's writes", async function () {
      const fates = ["killedBefore", "killedAfter", "lost"] as const;
      const swept = await sweep({ story: real(life), side: OPERATOR, fates, longestMs: 0, atOnce: 4 });
      if (this.test !== undefined) this.test.title += `: ${swept.summary}`;
      assertSwept(swept);
    });
});
