import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Made, madeFiles } from "../../../runner/agent/made-files.ts";
import { readOwn } from "../../../runner/agent/tree.ts";

const MIB = 1024 * 1024;

/** A process of the engine that exchanges a folder with a link, and back, as often as it can. */
const exchanger = (folder: string, link: string) => `
  const { renameSync } = require("node:fs");
  const [folder, link, aside] = ${JSON.stringify([folder, link, `${folder}.aside`])};
  console.log("begun");
  for (;;) {
    renameSync(folder, aside);
    renameSync(link, folder);
    renameSync(folder, link);
    renameSync(aside, folder);
  }`;

describe("folders that the engine exchanges with links while the agent looks", () => {
  let root = "";
  let engine: ChildProcess | undefined;
  const path = (name: string) => join(root, name);
  const write = (name: string, text: string) => {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), text);
  };
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "exchanged-"));
    write("out/work/.terraform/modules/vpc/a.tf", "of the engine");
    write("out/work/.terraform/modules/vpc/b.tf", "of the engine");
    write("spool/a.tf", "of the agent");
    write("spool/b.tf", "of the agent");
    symlinkSync("..data/token", path("spool/token"));
    symlinkSync(path("spool"), path("out/link"));
  });
  afterEach(async () => {
    if (engine !== undefined) {
      engine.kill("SIGKILL");
      await once(engine, "exit");
      engine = undefined;
    }
    rmSync(root, { recursive: true, force: true });
  });

  const exchange = () => {
    renameSync(path("out/work/.terraform/modules/vpc"), path("out/aside"));
    renameSync(path("out/link"), path("out/work/.terraform/modules/vpc"));
  };
  const walk = async (then: (made: Made) => void) => {
    const all: Made[] = [];
    for await (const made of madeFiles({ in: path("in"), out: path("out"), work: path("out/work") }, MIB)) {
      all.push(made);
      then(made);
    }
    return all.map((made) => `${made.path}: ${made.type === "file" ? made.content : made.type}`);
  };

  it("are not walked through once they are links", async () => {
    const found = await walk(({ path: at }) => at.endsWith("/vpc") && exchange());
    assert.deepEqual(found, [".terraform/modules/vpc: directory"]);
  });

  it("are read to their end as they were opened", async () => {
    const found = await walk(({ path: at }) => at.endsWith("/a.tf") && exchange());
    assert.deepEqual(found, [
      ".terraform/modules/vpc: directory",
      ".terraform/modules/vpc/a.tf: of the engine",
      ".terraform/modules/vpc/b.tf: of the engine",
    ]);
  });

  it("show nothing where the folder of modules is a link itself", async () => {
    rmSync(path("out/work/.terraform/modules"), { recursive: true });
    symlinkSync(path("spool"), path("out/work/.terraform/modules"));
    assert.deepEqual(await walk(() => {}), []);
  });

  it("lead to no file of the agent, at whatever moment that happens", async () => {
    const folder = path("out/work/.terraform/modules/vpc");
    engine = spawn(process.execPath, ["-e", exchanger(folder, path("out/link"))], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    assert.ok(engine.stdout);
    await once(engine.stdout, "data");
    const read = new Map<string | undefined, number>();
    for (const end = Date.now() + 2_000; Date.now() < end; ) {
      const content = (await readOwn(path("out"), join(folder, "a.tf"), MIB))?.toString();
      read.set(content, (read.get(content) ?? 0) + 1);
    }
    assert.equal(read.get("of the agent"), undefined, `read ${read.get("of the agent")} times`);
    assert.ok((read.get("of the engine") ?? 0) > 0, "what is the engine's own is read");
    assert.equal(existsSync(path("spool/a.tf")), true);
  });
});
