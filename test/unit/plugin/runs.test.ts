import assert from "node:assert/strict";
import { EXIT } from "../../../plugin/exit-codes.ts";
import { aShopRun, at } from "./shop.ts";
import { applied, working, world } from "./shop-runs.ts";

describe("kubectl terrarium runs", () => {
  it("lists the newest first, of one environment or component", async () => {
    const { call } = world({ runs: [applied, working] });
    const { out } = await call("runs", "shop");
    assert.equal(
      out,
      `
NAME             COMPONENT  #  OPERATION  CAUSE          STATE     PLAN  AGE  TOOK
shop-database-2  database   2  Apply      SourceChanged  Applying        18m
shop-network-1   network    1  Apply      SourceChanged  Applied   +2    19m  60s`.trim(),
    );
    const one = await call("runs", "shop", "-c", "network", "-o", "json");
    assert.deepEqual(
      JSON.parse(one.out).map(({ name }: { name: string }) => name),
      ["shop-network-1"],
    );
  });

  it("leaves out those of an environment that had the name before", async () => {
    const former = aShopRun(
      "network",
      1,
      { observedGeneration: 1 },
      { environment: { name: "shop", uid: "old", generation: 1 } },
    );
    assert.equal((await world({ runs: [former] }).call("runs", "shop", "-o", "json")).out, "[]");
  });
});

describe("kubectl terrarium logs", () => {
  const logs = {
    "shop-network-1-p": ["Plan: 2 to add"],
    "shop-database-2-p": ["Applying…"],
    "shop-network-3-p": ["No changes."],
  };

  it("of a Run are what its pod printed", async () => {
    const { out, code } = await world({ runs: [applied], logs }).call("logs", "shop-network-1");
    assert.deepEqual([code, out], [EXIT.done, "Plan: 2 to add"]);
  });

  it("do not steer the terminal", async () => {
    const steering = { "shop-network-1-p": ["\u001b[2Jgone\tstays"] };
    const { out } = await world({ runs: [applied], logs: steering }).call("logs", "shop-network-1");
    assert.equal(out, "\\u{1b}[2Jgone\tstays");
  });

  it("of an environment are those of what is under way", async () => {
    const { out } = await world({ runs: [applied, working], logs }).call("logs", "shop");
    assert.equal(out, "Applying…");
  });

  const checking = aShopRun("network", 3, { observedGeneration: 1, phase: "Planning" }, { operation: "Check" });
  const pods = [{ name: "shop-network-3-p", uid: "u3", createdAt: at(3) }];
  const checked = { ...checking, status: { observedGeneration: 1, phase: "Succeeded", pods } } as const;

  it("of an environment are not those of a Check beside what is under way", async () => {
    const { out } = await world({ runs: [applied, working, checking], logs }).call("logs", "shop");
    assert.equal(out, "Applying…");
  });

  for (const [what, check] of Object.entries({ "under way": checking, over: checked }))
    it(`of an environment are those of the last apply where a Check is ${what}`, async () => {
      const { out, code } = await world({ runs: [applied, check], logs }).call("logs", "shop");
      assert.deepEqual([code, out], [EXIT.done, "Plan: 2 to add"]);
    });

  it("of a Check are had by its name, and not where an environment has nothing else", async () => {
    const { call } = world({ runs: [checked], logs });
    assert.equal((await call("logs", "shop-network-3")).out, "No changes.");
    const { code, err } = await call("logs", "shop");
    assert.deepEqual([code, err], [EXIT.notFound, "shop has no Runs but Checks."]);
  });

  it("of several Runs are told apart by their component", async () => {
    const other = { ...applied, status: { ...applied.status, phase: "Applying", observedGeneration: 1 } as const };
    const { out } = await world({ runs: [other, working], logs }).call("logs", "shop");
    assert.deepEqual(out.split("\n").toSorted(), ["database | Applying…", "network | Plan: 2 to add"]);
  });

  it("that are gone say how the Run ended", async () => {
    const { err, code } = await world({ runs: [applied] }).call("logs", "shop-network-1");
    assert.equal(code, EXIT.notFound);
    assert.match(err, /its log with it.*It ended as Applied: the plan was applied/);
  });
});
