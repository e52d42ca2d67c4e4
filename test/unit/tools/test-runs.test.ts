import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { failure, runMocha } from "../../../tools/test/mocha.ts";
import { parseOptions } from "../../../tools/test/options.ts";
import { extentOf, isAlone, strayFiles, suitesOf } from "../../../tools/test/suites.ts";
import { summaryOf } from "../../../tools/test/summary.ts";

const root = join(import.meta.dirname, "../../..");

describe("a run of test files", function () {
  this.timeout(60_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "terrarium-runs-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function run(text: string, deadlineMinutes = 1, signal = new AbortController().signal) {
    const file = join(folder, `${Math.random().toString(36).slice(2)}.test.mjs`);
    writeFileSync(file, text);
    return runMocha({ root, files: [file], environment: {}, deadlineMinutes, output: "none", signal });
  }

  it("counts what passed, failed and was skipped, and keeps why something failed", async () => {
    const text = 'it("a", () => {}); it("b", () => { throw new Error("x"); }); it.skip("c", () => {});';
    const { failures, ...counts } = await run(text);
    assert.deepEqual(counts, { passed: 1, failed: 1, skipped: 1 });
    assert.deepEqual(
      failures.map(({ file, test }) => [basename(dirname(file)), test]),
      [[basename(folder), "b"]],
    );
    assert.match(failures[0]?.error ?? "", /^Error: x\n +at /);
  });

  it("tells at the end what failed and why, and nothing when nothing did", async () => {
    const failed = await run(
      'describe("it", () => it("holds", () => { throw new Error("x".repeat(3) + "\\ny".repeat(99)); }));',
    );
    const lines = summaryOf([failed, failure("the cluster could not be made ready: no disk")]);
    assert.deepEqual(lines.slice(0, 2), ["", "What failed:"]);
    assert.match(lines[2] ?? "", /^✘ .*\.test\.mjs: it holds$/);
    assert.deepEqual(lines.slice(3, 5), ["    Error: xxx", "    y"]);
    assert.match(lines.at(-3) ?? "", /… \d+ more lines/);
    assert.equal(lines.at(-2), "✘ the cluster could not be made ready: no disk");
    assert.deepEqual(summaryOf([await run('it("a", () => {});')]), []);
  });

  it("counts a hook that fails", async () => {
    const text = 'describe("a", () => { before(() => { throw new Error("x"); }); it("b", () => {}); });';
    const result = await run(text);
    assert.equal(result.failed, 1);
    assert.equal(result.passed, 0);
  });

  const troubles: readonly (readonly [what: string, text: string, trouble: RegExp])[] = [
    ["a file that holds no test", "", /holds no test/],
    ["a file that does not load", 'import "./nothing.mjs";', /crashed \(exit/],
    [
      "a process that is killed in a test",
      'it("a", () => { process.kill(process.pid, "SIGKILL"); });',
      /crashed \(SIGKILL/,
    ],
    ["a process that ends in a test", 'it("a", () => { process.exit(0); });', /crashed|holds no test/],
    ["a test that is picked out", 'it("a", () => {}); it.only("b", () => {});', /crashed/],
    [
      "a process that ends badly after its tests",
      'it("a", () => {}); process.on("exit", () => process.kill(process.pid, "SIGKILL"));',
      /ended with SIGKILL after its tests/,
    ],
  ];
  for (const [what, text, trouble] of troubles) {
    it(`counts ${what} as a failure`, async () => {
      const result = await run(text);
      assert.match(result.trouble ?? "", trouble, JSON.stringify(result));
      assert.equal(result.failed, 1);
    });
  }

  it("ends what a person interrupts, and begins nothing afterwards", async () => {
    const interruption = new AbortController();
    const marker = join(folder, "begun");
    const text = `import { writeFileSync } from "node:fs";
      it("a", (done) => { writeFileSync(${JSON.stringify(marker)}, ""); setInterval(() => {}, 1000); });`;
    const result = run(text, 1, interruption.signal);
    while (!existsSync(marker)) await new Promise((resolve) => setTimeout(resolve, 20));
    interruption.abort();
    assert.match((await result).trouble ?? "", /crashed \(SIGKILL/);
    assert.match((await run(text, 1, interruption.signal)).trouble ?? "", /was not run/);
  });

  it("ends what does not end by itself", async () => {
    const result = await run('setInterval(() => {}, 1000); it("a", () => {});', 0.05);
    assert.match(result.trouble ?? "", /did not end within 0.05 minutes/);
    assert.equal(result.failed, 1);
  });
});

describe("the suites", () => {
  it("hold every test file of the project", () => assert.deepEqual(strayFiles(root), []));

  it("are found by their folders", () => {
    const folder = mkdtempSync(join(tmpdir(), "terrarium-suites-"));
    for (const name of ["unit/api", "journeys", "elsewhere"]) {
      mkdirSync(join(folder, "test", name), { recursive: true });
      writeFileSync(join(folder, "test", name, "a.test.ts"), "");
    }
    const found = suitesOf(folder).map(({ name, files }) => [name, files]);
    assert.deepEqual(found, [
      ["unit", ["test/unit/api/a.test.ts"]],
      ["stories", []],
      ["runner", []],
      ["apiserver", []],
      ["faults", []],
      ["journeys", ["test/journeys/a.test.ts"]],
    ]);
    assert.deepEqual(strayFiles(folder), ["test/elsewhere/a.test.ts"]);
    rmSync(folder, { recursive: true });
  });

  it("begin with what takes longest, and know what must be alone", () => {
    const journeys = suitesOf(root).find(({ name }) => name === "journeys")?.files ?? [];
    assert.deepEqual(journeys.slice(0, 2), ["test/journeys/shop.test.ts", "test/journeys/interruptions.test.ts"]);
    const alone = readdirSync(join(root, "test/journeys/alone")).toSorted();
    assert.deepEqual(
      journeys.filter(isAlone),
      alone.map((file) => `test/journeys/alone/${file}`),
    );
    assert.ok(alone.includes("operator.test.ts"));
  });

  it("are all wanted unless some are named", () => {
    assert.deepEqual(parseOptions([])?.suites, ["unit", "stories", "runner", "apiserver", "faults", "journeys"]);
    assert.deepEqual(parseOptions(["--suite", "unit"])?.suites, ["unit"]);
    assert.throws(() => parseOptions(["--suite", "e2e"]), /no suite is called e2e/);
    assert.throws(() => parseOptions(["--jobs", "none"]), /--jobs none: a number from 1/);
  });

  it("leave nothing out in npm run test:faults, and have the time for it", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const [, words = ""] = scripts["test:faults"].split("tools/test.ts ");
    const options = parseOptions(words.split(" "));
    assert.deepEqual([options?.suites, options?.whole], [parseOptions([])?.suites, true]);
    const faults = suitesOf(root).find(({ name }) => name === "faults");
    assert.ok(faults !== undefined);
    assert.deepEqual(extentOf(faults, false), { environment: {}, deadlineMinutes: 30 });
    const { environment, deadlineMinutes } = extentOf(faults, true);
    assert.deepEqual(Object.keys(environment), ["TERRARIUM_STORIES", "TERRARIUM_FAULTS"]);
    assert.ok(deadlineMinutes >= 60);
  });
});
