import assert from "node:assert/strict";
import { parseOptions } from "../../../tools/simulate/options.ts";
import { tellAll } from "../../../tools/simulate/threads.ts";
import { reportOf } from "../../stories/simulation.ts";

describe("npm run simulate", () => {
  it("reads what is asked for", () => {
    assert.deepEqual(parseOptions(["--stories", "20", "--from", "7", "--jobs", "1"]), {
      stories: 20,
      from: 7,
      jobs: 1,
      seed: undefined,
      without: [],
    });
    assert.deepEqual(parseOptions(["--seed", "9", "--without", "incident-1,stroke-2"])?.without, [
      "incident-1",
      "stroke-2",
    ]);
    assert.equal(parseOptions(["--help"]), undefined);
  });

  it("says what it does not understand", () => {
    assert.throws(() => parseOptions(["--stories", "many"]), /--stories many: a number from 1/);
    assert.throws(() => parseOptions(["--nonsense"]), TypeError);
  });

  it("prints, of a story that goes wrong, the command that tells it again and the shortest one in it", async () => {
    const incidents = ["stroke-1", "incident-2", "incident-3"];
    /** Only one of its incidents matters. */
    const tell = async (_seed: number, without: ReadonlySet<string> = new Set()) => {
      const broken = new Error("I1: two writers\n--- what happened last ---");
      const left = incidents.filter((one) => !without.has(one));
      const trouble = without.has("incident-2") ? undefined : broken;
      return { trouble, lines: ["the night falls"], incidents: left, trace: "t", steps: 1 };
    };
    const report = await reportOf(77, await tell(77), tell);
    assert.match(
      report,
      /^seed 77: I1: two writers\nto see it again: npm run simulate -- --seed 77\n1 of its 3 incidents/,
    );
    const printed = /npm run simulate -- (--seed 77 --without \S+)$/m.exec(report)?.[1] ?? assert.fail(report);
    const { seed, without = [] } = parseOptions(printed.split(" ")) ?? {};
    assert.deepEqual([seed, [...without].sort()], [77, ["incident-3", "stroke-1"]]);
    assert.match(report, /\n {2}the night falls\n\nI1: two writers$/);
  });

  it("tells each seed once, on several threads", async function () {
    this.timeout(60_000);
    let [count, steps] = [0, 0];
    await tellAll({
      from: 1,
      stories: 4,
      jobs: 2,
      onTold(told) {
        count += told.count;
        steps += told.steps;
        assert.deepEqual(told.reports, []);
      },
    });
    assert.equal(count, 4);
    assert.ok(steps > 400);
  });
});
