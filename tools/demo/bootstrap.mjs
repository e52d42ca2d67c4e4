// node tools/demo/bootstrap.mjs SCRIPT [ARGUMENT ...]
//
// Runs a TypeScript file of this checkout under the Node that package-lock.json names, whichever Node (20 or later)
// starts this one, and installs the dependencies first when they are missing or outdated. This file itself needs none.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const checkout = join(dirname(fileURLToPath(import.meta.url)), "../..");

/**
 * The options of the scripts and what stands for their values in a hint; without one, they are switches. Missing are those
 * that are also settings of npm (`registry`, `json`): nobody can tell for whom they were meant.
 */
export const OPTIONS = {
  "tools/bench/latency.ts": { rounds: "N", engine: "NAME", image: "IMAGE" },
  "tools/cluster/main.ts": { name: "NAME" },
  "tools/demo/main.ts": { name: "NAME", context: "NAME", engine: "NAME", act: "2" },
  "tools/images/main.ts": { engine: "NAME" },
  "tools/mutants/main.ts": { journeys: "", name: "NAME", by: "FILE", list: "", jobs: "N" },
  "tools/simulate/main.ts": { stories: "N", from: "SEED", jobs: "N", seed: "SEED", without: "A,B" },
  "tools/test.ts": { suite: "NAME", file: "PATH", name: "NAME", jobs: "N", whole: "", keep: "" },
};

/**
 * What to say when npm took options of the script for its own, since no `--` stood before them: without them the script
 * would do something else. They arrive as npm_config_NAME; undefined when none does.
 */
export function misplacedOptions(script, args, env) {
  const { npm_lifecycle_event: event } = env;
  if (event === undefined) return undefined;
  const taken = Object.entries(OPTIONS[script] ?? {}).filter(([name]) =>
    isTaken(name, args, env[`npm_config_${name}`]),
  );
  if (taken.length === 0) return undefined;
  const words = taken.flatMap(([name, placeholder]) => asWritten(name, placeholder, env[`npm_config_${name}`]));
  // Where npm saw a switch, the value is among the arguments, and nobody knows which one it is.
  const valuesAreLost = taken.some(([name, placeholder]) => placeholder !== "" && isSwitch(env[`npm_config_${name}`]));
  const command = [event === "test" ? "npm test" : `npm run ${event}`, "--", ...(valuesAreLost ? [] : args), ...words];
  const names = taken.map(([name]) => `--${name}`).join(", ");
  return `npm took ${names} for itself. Put -- before the options: ${command.join(" ")}`;
}

function isTaken(name, args, value) {
  if (value === undefined || value === "") return false;
  if (args.some((word) => word === `--${name}` || word.startsWith(`--${name}=`))) return false;
  // People set `jobs` for node-gyp, to a number or `max`.
  return name !== "jobs" || isSwitch(value);
}

/** npm makes `true` of an option whose value is the next word, and joins what is given several times. */
const isSwitch = (value) => value.split("\n\n").includes("true");

function asWritten(name, placeholder, value) {
  if (placeholder === "") return [`--${name}`];
  return value.split("\n\n").map((one) => `--${name} ${one === "true" ? placeholder : one}`);
}

/**
 * Why dependencies have to be installed, or undefined when node_modules holds what the lock file says.
 */
export function staleDependencies(folder) {
  const wanted = readPackages(join(folder, "package-lock.json"));
  const present = readPackages(join(folder, "node_modules/.package-lock.json"));
  if (present === undefined) return "there is no node_modules yet";
  for (const [path, { version, optional }] of Object.entries(wanted ?? {})) {
    // Optional ones may be for another system.
    if (path === "" || (optional && present[path] === undefined)) continue;
    if (present[path]?.version !== version) return `${path} is not the version of package-lock.json`;
  }
  return existsSync(join(folder, "node_modules/node/bin/node")) ? undefined : "node_modules has no Node";
}

function readPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).packages : undefined;
}

/** One installation at a time: the kernel holds the lock on package-lock.json, and the second finds the work done. */
function installUnderLock() {
  const self = fileURLToPath(import.meta.url);
  const child = [process.execPath, self, "--install"];
  const held = spawnSync("flock", ["--exclusive", join(checkout, "package-lock.json"), ...child], { stdio: "inherit" });
  if (held.error?.code === "ENOENT") return install();
  if (held.status !== 0) process.exit(held.status ?? 1);
}

function install() {
  const reason = staleDependencies(checkout);
  if (reason === undefined) return;
  console.error(`npm install (${reason})`);
  const started = Date.now();
  // The versions and hashes of the lock file, as with `npm ci`; that one refuses to begin when a registry mirror does not
  // have the optional packages of other systems.
  const args = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  const npm = spawnSync("npm", args, { cwd: checkout, stdio: "inherit" });
  const still = npm.error?.message ?? (npm.status === 0 ? staleDependencies(checkout) : `it ended with ${npm.status}`);
  if (still !== undefined) {
    console.error(`npm install failed: ${still}. Is npm installed, and its registry in reach?`);
    process.exit(1);
  }
  console.error(`npm install took ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function start(script, args) {
  const bin = join(checkout, "node_modules/.bin");
  const child = spawn(join(bin, "node"), [join(checkout, script), ...args], {
    stdio: "inherit",
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ""}` },
  });
  // A terminal sends ctrl-C to both; the child decides when to end, and how.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on("error", (error) => {
    console.error(`${script}: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

function main([script, ...args]) {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) {
    console.error(
      `This is Node ${process.versions.node}; Terrarium needs Node 20 or later to start (https://nodejs.org).`,
    );
    process.exit(1);
  }
  if (script === "--install") return install();
  if (script === undefined) {
    console.error("usage: node tools/demo/bootstrap.mjs SCRIPT [ARGUMENT ...]");
    process.exit(2);
  }
  const misplaced = misplacedOptions(script, args, process.env);
  if (misplaced !== undefined) {
    console.error(misplaced);
    process.exit(2);
  }
  if (staleDependencies(checkout) !== undefined) installUnderLock();
  start(script, args);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  main(process.argv.slice(2));
