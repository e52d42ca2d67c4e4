import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MUTANTS } from "../../../tools/mutants/all.ts";
import { DAILY } from "../../../tools/mutants/daily.ts";
import { AnchorLost, edited, triedBy } from "../../../tools/mutants/mutant.ts";
import { makeScratch } from "../../../tools/mutants/scratch.ts";
import { NotLoaded, run, tried } from "../../../tools/mutants/trial.ts";

const root = join(import.meta.dirname, "../../..");

describe("The mutants", () => {
  it("are numbered from M01 on, and there are twenty at least", () => {
    assert.deepEqual(
      MUTANTS.map(({ id }) => id),
      MUTANTS.map((_, index) => `M${String(index + 1).padStart(2, "0")}`),
    );
    assert.ok(MUTANTS.length >= 20);
    assert.deepEqual(
      DAILY.map(({ id }) => id),
      DAILY.map((_, index) => `J${String(index + 1).padStart(2, "0")}`),
    );
  });

  for (const { id, bug, edits, tests } of [...MUTANTS, ...DAILY]) {
    it(`${id} still fits the code: ${bug}`, () => {
      for (const edit of edits) assert.notEqual(edited(readFileSync(join(root, edit.file), "utf8"), edit), "");
      for (const test of tests) assert.ok(existsSync(join(root, test)), test);
    });
  }

  it("fail loudly where the code has changed under them", () => {
    const edit = { file: "a.ts", find: "was here", replace: "" };
    assert.throws(() => edited("nothing of the kind", edit), AnchorLost);
    assert.throws(() => edited("was here, and was here", edit), AnchorLost);
  });

  it("are tried with one test file alone where that is asked for: those that name it, or any", () => {
    const file = "test/stories/chaos.test.ts";
    const all = triedBy(MUTANTS, file, []);
    assert.ok(all.length > 10 && all.length < MUTANTS.length);
    for (const { tests } of all) assert.deepEqual(tests, [file]);
    const asked = triedBy(MUTANTS, "test/faults/writes.test.ts", ["M27"]);
    assert.deepEqual(
      asked.map(({ id, tests }) => [id, tests]),
      [["M27", ["test/faults/writes.test.ts"]]],
    );
    assert.throws(() => triedBy(MUTANTS, "test/nothing.test.ts", []), TypeError);
  });

  it("are caught by the tests that name them, and gone from the copy afterwards", async function () {
    this.timeout(120_000);
    const mutant = MUTANTS.find(({ id }) => id === "M02");
    const scratch = makeScratch(root);
    try {
      assert.ok(mutant !== undefined);
      const [edit] = mutant.edits;
      const finding = await tried(mutant, scratch);
      assert.deepEqual([finding.type, finding.type === "caught" && finding.file], ["caught", mutant.tests[0]]);
      const file = edit?.file ?? "";
      assert.equal(readFileSync(join(scratch.folder, file), "utf8"), readFileSync(join(root, file), "utf8"));
    } finally {
      scratch.remove();
    }
  });
});

describe("A test file that is to notice a mutant", function () {
  this.timeout(60_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "terrarium-trial-"));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  });
  after(() => rmSync(folder, { recursive: true }));

  function running(text: string, longestMs = 30_000) {
    writeFileSync(join(folder, "a.test.mjs"), text);
    return run(folder, "a.test.mjs", { longestMs });
  }

  it("catches it by a test that fails, and by one that never ends", async () => {
    const failing = await running('it("holds", () => { throw new Error("no"); });');
    assert.deepEqual(failing, { type: "caught", file: "a.test.mjs", test: "holds", how: "no" });
    const hanging = await running(
      "it('ends', function (done) { this.timeout(0); setInterval(() => {}, 99); });",
      2_000,
    );
    assert.deepEqual(hanging, { type: "caught", file: "a.test.mjs", test: "the file itself", how: "it hangs" });
  });

  it("catches nothing where it does not load: that is an error", async () => {
    for (const text of ['it("holds", () => {', 'import "./what-is-not-there.mjs"; it("holds", () => {});'])
      await assert.rejects(
        running(text),
        (error) => error instanceof NotLoaded && /a\.test\.mjs does not load/.test(error.message),
      );
  });
});
