import assert from "node:assert/strict";
import type { Ending, Story } from "./story.ts";
import { FATES, type FateName, OPERATOR, sweep } from "./sweep.ts";

const RUNS = "/apis/terrarium.dev/v1alpha1/namespaces/a/runs";
const WRITES = Array.from({ length: 24 }, (_, index) => `PATCH ${RUNS}/shop-${index}`).with(
  16,
  `PATCH ${RUNS}/shop-1/status`,
);

/** Writes, and does nothing else. */
const writing: Story = async ({ fateOf } = {}): Promise<Ending> => {
  const log = WRITES.map((line, index) => {
    const [method = "", path = ""] = line.split(" ");
    return `${index + 1} ${line}: ${fateOf?.({ write: index + 1, method, path }).type ?? "goes"}`;
  });
  const same = { runs: 1, pods: 1, ledger: [], told: [], turnedAway: 0 };
  return { ...same, writes: log.length, log, gateway: { writes: 0, log: [] } };
};

/** Goes wrong where that write is lost. `marks` is told what went wrong on the way. */
const faultyAt =
  (write: number, marks: string[] = []): Story =>
  async (trouble) => {
    const ending = await writing(trouble);
    const marked = ending.log.filter((line) => !line.endsWith(": goes"));
    marks.push(...marked);
    assert.ok(!marked.some((line) => line.startsWith(`${write} `) && line.endsWith(": lost")), "a thing is lost");
    return ending;
  };

const swept = (story: Story, more: { readonly again?: string; readonly fates?: readonly FateName[] } = {}) =>
  sweep({ story, side: OPERATOR, fates: ["lost"], longestMs: 60_000, atOnce: 1, ...more });

describe("A sweep over the writes of a story", () => {
  it("prints each trouble by a name that brings it back, and lets nothing else go wrong then", async () => {
    const { troubles } = await swept(faultyAt(17));
    assert.ok(troubles.length > 0);
    for (const trouble of troubles) {
      const marks: string[] = [];
      const again = trouble.split(": ")[0] ?? "";
      assert.deepEqual((await swept(faultyAt(17, marks), { again })).troubles, [trouble]);
      const writes = /^[\d,]+/.exec(again)?.[0].split(",") ?? ["17"];
      assert.deepEqual(
        marks.map((line) => line.split(" ")[0]),
        writes,
      );
    }
  });

  it("lets just the first write of a kind go wrong where the name is a kind", async () => {
    const marks: string[] = [];
    const { troubles } = await swept(faultyAt(17, marks), { again: "PATCH runs/status lost" });
    assert.deepEqual(troubles, ["PATCH runs/status lost: a thing is lost"]);
    assert.deepEqual(marks, [`17 PATCH ${RUNS}/shop-1/status: lost`]);
  });

  it("refuses a name that is nobody's, and says what there is", async () => {
    for (const [again, message] of [
      ["PATCH runs/state lost", /no write "PATCH runs\/state": PATCH runs, PATCH runs\/status/],
      ["17 vanished", /"17 vanished" ends with no fate: killedBefore, /],
      ["17", /"17" ends with no fate/],
    ] as const)
      await assert.rejects(swept(writing, { again }), message);
  });

  it("does not pass where what is to go wrong was never written", async () => {
    const { troubles } = await swept(writing, { again: "17,99 lost" });
    assert.deepEqual(troubles, ["17,99 lost: never written: write 99"]);
  });

  it("tells every fate however slow the machine is", async () => {
    const fates = Object.keys(FATES) as FateName[];
    const { fell } = await sweep({ story: writing, side: OPERATOR, fates, longestMs: -1, atOnce: 6 });
    assert.deepEqual(Object.keys(fell), fates);
    for (const times of Object.values(fell)) assert.ok(times >= 4);
  });
});
