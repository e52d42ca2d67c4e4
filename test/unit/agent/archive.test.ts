import assert from "node:assert/strict";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { type ArchivedInputs, packArchive, unpackArchive } from "../../../runner/agent/archive.ts";

const inputs: ArchivedInputs = {
  path: "live/network",
  revision: "0123456789012345678901234567890123456789",
  variables: new Map<string, unknown>([
    ["b", { deep: [1, null] }],
    ["a", "text"],
  ]),
  secrets: ["text"],
  lockFile: "# locked",
  credentials: new Map([["aws", new Map([["AWS_KEY", Buffer.from([0, 255, 7])]])]]),
};

describe("the archive for destroying", () => {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "archive-"));
    mkdirSync(join(root, "source/live/network"), { recursive: true });
    mkdirSync(join(root, "source/modules/x"), { recursive: true });
    mkdirSync(join(root, "back"));
    writeFileSync(join(root, "source/live/network/main.tf"), 'module "x" { source = "../../modules/x" }');
    writeFileSync(join(root, "source/modules/x/run.sh"), "#!/bin/sh\n", { mode: 0o755 });
    symlinkSync("../modules", join(root, "source/live/modules"));
    symlinkSync("nowhere", join(root, "source/dangling"));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it("gives back source, variables, lock file and credentials", async () => {
    const read = await unpackArchive(await packArchive(join(root, "source"), inputs), join(root, "back"));
    assert.deepEqual(
      { ...read, variables: Object.fromEntries(read.variables) },
      { ...inputs, variables: Object.fromEntries(inputs.variables) },
    );
    assert.match(readFileSync(join(root, "back/live/network/main.tf"), "utf8"), /modules\/x/);
    assert.equal(readlinkSync(join(root, "back/live/modules")), "../modules");
    assert.ok((lstatSync(join(root, "back/modules/x/run.sh")).mode & 0o100) !== 0, "still executable");
  });

  it("has the same bytes whenever it is made", async () => {
    const first = await packArchive(join(root, "source"), inputs);
    utimesSync(join(root, "source/live/network/main.tf"), 1, 1);
    const again = await packArchive(join(root, "source"), {
      ...inputs,
      variables: new Map([...inputs.variables].reverse()),
    });
    assert.ok(first.equals(again));
  });

  for (const { name, entries } of [
    { name: "a path that leads out", entries: [["source/../../evil", "x"]] },
    {
      name: "a file behind a link that leads out",
      entries: [
        ["source/link", "->../outside"],
        ["source/link/evil", "x"],
      ],
    },
    {
      name: "a folder behind a link that leads out",
      entries: [
        ["source/link", "->../outside"],
        ["source/link/deep/evil", "x"],
      ],
    },
  ] as const) {
    it(`refuses ${name}, and makes nothing there`, async () => {
      mkdirSync(join(root, "outside"));
      const tar = pack();
      tar.entry(
        { name: "terrarium.json" },
        JSON.stringify({ version: 1, path: ".", variables: [], secrets: [], credentials: [] }),
      );
      for (const [path, text] of entries) {
        if (text.startsWith("->")) tar.entry({ name: path, type: "symlink", linkname: text.slice(2) });
        else tar.entry({ name: path }, text);
      }
      tar.finalize();
      const chunks: Buffer[] = [];
      for await (const chunk of tar) chunks.push(chunk as Buffer);
      await assert.rejects(unpackArchive(gzipSync(Buffer.concat(chunks)), join(root, "back")), /leads out|link/);
      assert.deepEqual(readdirSync(join(root, "outside")), []);
    });
  }
});
