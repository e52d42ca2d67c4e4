import assert from "node:assert/strict";
import { parseOptions } from "../../../tools/simulate/options.ts";
import { tellAll } from "../../../tools/simulate/threads.ts";

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
