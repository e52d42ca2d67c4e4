import { join } from "node:path";
import { type MochaResult, type MochaRun, runMocha } from "./test/mocha.ts";
import { HELP, type Options, parseOptions } from "./test/options.ts";
import { buildPrograms, setStage, strikeStage } from "./test/stage.ts";
import { type Suite, strayFiles, suitesOf } from "./test/suites.ts";

/** `npm test`: every test of the project; the last line says how many passed and failed. */

const root = join(import.meta.dirname, "..");

type Environment = Readonly<Record<string, string>>;

interface Order extends Options {
  /** Aborts when a person interrupts the tests. */
  readonly signal: AbortSignal;
}

const say = (text: string) => console.log(`▸ ${text}`);

function failure(trouble: string): MochaResult {
  return { passed: 0, failed: 1, skipped: 0, trouble };
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** The suites that are asked for, each with the files that are asked for. */
function wantedSuites({ suites, files }: Options): readonly Suite[] {
  const wanted = (file: string) => files.length === 0 || files.includes(file);
  return suitesOf(root)
    .filter(({ name }) => suites.includes(name))
    .map((suite) => ({ ...suite, files: suite.files.filter(wanted) }))
    .filter((suite) => files.length === 0 || suite.files.length > 0);
}

async function runSuite(suite: Suite, environment: Environment, order: Order): Promise<readonly MochaResult[]> {
  if (suite.files.length === 0) return [failure(`test/${suite.name} holds no test file`)];
  const { jobs, signal } = order;
  const common = { root, environment, deadlineMinutes: suite.deadlineMinutes, signal };
  if (!suite.separate) return [await runMocha({ ...common, files: suite.files, output: "stream" })];
  const runs = suite.files.map(
    (file): MochaRun => ({ ...common, files: [file], output: jobs > 1 ? "atEnd" : "stream" }),
  );
  return pooled(runs, jobs);
}

/** So many at a time; each says when it begins. */
async function pooled(runs: readonly MochaRun[], jobs: number): Promise<readonly MochaResult[]> {
  const waiting = [...runs];
  const results: MochaResult[] = [];
  const worker = async () => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
      say(`${run.files.join(" ")} begins`);
      results.push(await runMocha(run));
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return results;
}

/** Where a suite runs. A stage that cannot be set is a failure of the suite, not of the ones that need none. */
async function onStage(suite: Suite, order: Order): Promise<readonly MochaResult[]> {
  if (!suite.needsCluster || suite.files.length === 0) return runSuite(suite, {}, order);
  try {
    return await runSuite(suite, await setStage(order.name, say), order);
  } catch (error) {
    return [failure(`the cluster could not be made ready: ${messageOf(error)}`)];
  } finally {
    if (!order.keep) await strikeStage(order.name).catch((error) => say(`cluster ${order.name}: ${messageOf(error)}`));
  }
}

async function timed(suite: Suite, order: Order): Promise<readonly MochaResult[]> {
  say(`${suite.name}: ${suite.files.length} files`);
  const start = performance.now();
  const results = await onStage(suite, order);
  for (const { trouble } of results) if (trouble !== undefined) say(`${suite.name}: ${trouble}`);
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  say(
    `${suite.name}: ${total(results, "passed")} passed, ${total(results, "failed")} failed, ${total(results, "skipped")} skipped (${seconds} s)`,
  );
  return results;
}

async function runAll(order: Order): Promise<readonly MochaResult[]> {
  const results: MochaResult[] = strayFiles(root).map((file) => failure(`${file} is in no suite`));
  for (const { trouble } of results) say(trouble ?? "");
  const suites = wantedSuites(order);
  if (suites.length === 0) return [...results, failure("no test file is called so")];
  if (suites.some(({ needsPrograms }) => needsPrograms)) await buildPrograms(say);
  for (const suite of suites) results.push(...(await timed(suite, order)));
  return results;
}

function total(results: readonly MochaResult[], field: "passed" | "failed" | "skipped"): number {
  return results.reduce((sum, result) => sum + result[field], 0);
}

async function main(signal: AbortSignal): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) {
    console.log(HELP);
    return 0;
  }
  let results: readonly MochaResult[];
  try {
    results = await runAll({ ...options, signal });
  } catch (error) {
    say(messageOf(error));
    results = [failure("the tests could not be started")];
  }
  const [passed, failed] = [total(results, "passed"), total(results, "failed")];
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

// The first signal ends the tests and tidies up; the second one does not wait for that.
const interruption = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(name, () => {
    say("interrupted: tidying up");
    interruption.abort();
  });
}

try {
  process.exitCode = await main(interruption.signal);
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
