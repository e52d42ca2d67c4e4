import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Spool } from "../../../runner/agent/spool.ts";

describe("What an agent wrote down about resources", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "terrarium-spool-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("ends before a line that was cut off, and goes on there", async () => {
    new Spool(folder).append("journal", "first, gr\u00fcn");
    appendFileSync(join(folder, "journal.ndjson"), '"a half li');
    const later = new Spool(folder);
    assert.deepEqual(await later.entries("journal"), ["first, gr\u00fcn"]);
    later.append("journal", "second");
    assert.deepEqual(await later.entries("journal"), ["first, gr\u00fcn", "second"]);
  });

  it("is nothing where nothing was written", async () => {
    assert.deepEqual(await new Spool(folder).entries("diagnostics"), []);
  });
});
