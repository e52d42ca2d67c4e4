import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MUTANTS } from "../../../tools/mutants/all.ts";
import { DAILY } from "../../../tools/mutants/daily.ts";

const root = join(import.meta.dirname, "../../..");
const page = readFileSync(join(root, "docs/reliability.md"), "utf8");

/** Cells of the rows that begin with such a name. */
const rows = (name: RegExp): readonly (readonly string[])[] =>
  page
    .split("\n")
    .filter((line) => name.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split(" | ")
        .map((cell) => cell.trim()),
    );

const FAULTS = Array.from({ length: 46 }, (_, index) => `F${String(index + 1).padStart(2, "0")}`);

describe("The page about reliability", () => {
  it("has one row for each fault, in order", () => {
    assert.deepEqual(
      rows(/^\| F\d\d /).map(([fault = ""]) => fault.slice(0, 3)),
      FAULTS,
    );
  });

  it("says honestly where a fault is not injected, and names a test everywhere else", () => {
    for (const [fault, how = "", , where = ""] of rows(/^\| F\d\d /))
      assert.ok(where.includes("`test/") || how.startsWith("not injected"), fault);
  });

  it("names tests that exist, by words of their names", () => {
    // Names of journeys may be put together from a table: `npm run mutants -- --journeys` refuses a name that no journey has.
    const lines = page.split("\n").filter((line) => !/^\| J\d\d /.test(line));
    const named = [...lines.join("\n").matchAll(/`(test\/[^`]+\.test\.ts)`(?: “([^”]+)”)?/g)];
    assert.ok(named.length > 60);
    for (const [, file = "", words = ""] of named) {
      assert.ok(existsSync(join(root, file)), file);
      const text = readFileSync(join(root, file), "utf8");
      assert.ok(text.includes(words), `${file} says nothing like “${words}”`);
    }
  });

  it("has one row for each mutant, with its bug and the tests that are to catch it", () => {
    assert.deepEqual(
      rows(/^\| M\d+ \|/),
      MUTANTS.map(({ id, bug, tests }) => [id, bug, `\`${tests[0]}\``]),
    );
  });

  it("has one row for each bug that a journey catches, with what goes wrong on such a day", () => {
    assert.deepEqual(
      rows(/^\| J\d\d \|/),
      DAILY.map(({ id, row, bug, tests, named }) => [id, row, bug, `\`${tests[0]}\` “${named}”`]),
    );
  });
});
