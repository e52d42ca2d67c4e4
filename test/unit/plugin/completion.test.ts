import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { pluginWorld } from "../../fakes/plugin-world.ts";
import { aShopRun, shop } from "./shop.ts";

const run = promisify(execFile);

const world = () =>
  pluginWorld({ environments: [shop()], runs: [aShopRun("network", 1, { observedGeneration: 1, phase: "Planning" })] });

const offered = async (...words: readonly string[]) => {
  const { out } = await world().call("__complete", ...words);
  return out.split("\n").map((line) => line.split("\t")[0]);
};

describe("completion", () => {
  it("offers commands, with what they do", async () => {
    const { out } = await world().call("__complete", "gr");
    assert.match(out, /^graph\twhich component needs which.*\n:4$/);
  });

  const places: readonly (readonly [words: readonly string[], candidates: readonly string[]])[] = [
    [["status", ""], ["shop"]],
    [["status", "shop", ""], []],
    [["-n", "team", "run", "sh"], ["shop"]],
    [["-n", ""], []],
    [["unlock", ""], ["shop-network-1"]],
    [
      ["logs", "s"],
      ["shop", "shop-network-1"],
    ],
    [["runs", "shop", "--component", "c"], ["catalog"]],
    [["runs", "shop", "-c", "d"], ["database"]],
    [
      ["status", "-o", ""],
      ["json", "yaml"],
    ],
    [["status", "--output=j"], ["--output=json"]],
    [["status", "--output", "=", "j"], ["json"]],
    [["suspend", "--nam"], ["--namespace"]],
    [["completion", "z"], ["zsh"]],
    [["stat"], ["status", "state"]],
    [
      ["state", "p"],
      ["pull", "push"],
    ],
    [["state", "pull", "shop", "net"], ["network"]],
  ];
  for (const [words, candidates] of places) {
    it(`after "${words.join(" ")}" offers ${candidates.join(", ") || "nothing"}`, async () =>
      assert.deepEqual(await offered(...words), [...candidates, ":4"]));
  }

  it("looks where the line says", async () => {
    const { call, opened } = world();
    await call("__complete", "--context", "other", "status", "-n", "far", "");
    assert.deepEqual([opened[0]?.context, opened[0]?.namespace], ["other", "far"]);
  });

  it("says nothing where the cluster does not answer", async () => {
    const { call, client } = world();
    client.faults.before = () => {
      throw new Error("no cluster");
    };
    assert.deepEqual(await call("__complete", "status", ""), { code: 0, out: ":4", err: "" });
  });
});

describe("the scripts for shells", () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "terrarium-completion-"));
    // A program that says what it was asked, and offers two words.
    await writeFile(
      join(dir, "kubectl-terrarium"),
      '#!/bin/sh\necho "$@" >"$0.asked"\nprintf "shop\\t5/5 ready\\nshop-2\\tx:y\\n:4\\n"\n',
    );
    await chmod(join(dir, "kubectl-terrarium"), 0o755);
  });
  after(() => rm(dir, { recursive: true, force: true }));

  const path = () => ({ ...process.env, PATH: `${dir}${delimiter}${process.env.PATH}` });

  async function script(shell: string): Promise<string> {
    const file = join(dir, `script.${shell}`);
    await writeFile(file, `${(await world().call("completion", shell)).out}\n`);
    return file;
  }

  /** Not everybody has every shell. */
  function needs(shell: string, test: Mocha.Context): void {
    const found = (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, shell)));
    if (!found) test.skip();
  }

  it("of bash asks the program for the words so far, and offers what it answers", async function () {
    needs("bash", this);
    const file = await script("bash");
    await run("bash", ["-n", file]);
    const line = "COMP_WORDS=(kubectl-terrarium status -n team sh); COMP_CWORD=4";
    const { stdout } = await run(
      "bash",
      ["-c", `set -e; source ${file}; ${line}; __kubectl_terrarium_complete; printf '%s,' "\${COMPREPLY[@]}"`],
      { env: path() },
    );
    assert.equal(stdout, "shop,shop-2,");
    const asked = await run("cat", [join(dir, "kubectl-terrarium.asked")]);
    assert.equal(asked.stdout, "__complete status -n team sh\n");
  });

  it("of zsh offers the words with what they are", async function () {
    needs("zsh", this);
    const file = await script("zsh");
    await run("zsh", ["-n", file]);
    const stubs = "compdef() {}; _describe() { print -rl -- $candidates }";
    const line = "words=(kubectl-terrarium status ''); CURRENT=3";
    const { stdout } = await run("zsh", ["-f", "-c", `${stubs}; source ${file}; ${line}; _kubectl_terrarium`], {
      env: path(),
    });
    assert.equal(stdout, "shop:5/5 ready\nshop-2:x:y\n");
  });

  it("of fish offers the words with what they are", async function () {
    needs("fish", this);
    const file = await script("fish");
    await run("fish", ["--no-execute", file]);
    const { stdout } = await run("fish", ["-c", `source ${file}; complete -C 'kubectl-terrarium status '`], {
      env: { ...path(), HOME: dir },
    });
    assert.equal(stdout, "shop\t5/5 ready\nshop-2\tx:y\n");
  });

  it("for kubectl passes on what kubectl asks", async () => {
    const file = await script("kubectl");
    await run("sh", ["-n", file]);
    const { stdout } = await run("sh", [file, "status", ""], { env: path() });
    assert.match(stdout, /^shop\t/);
  });

  it("are only for shells that there are", async () => {
    const { code, err } = await world().call("completion", "tcsh");
    assert.deepEqual([code, err], [2, 'There is a script for bash, zsh, fish, kubectl, and none for "tcsh".']);
  });
});
