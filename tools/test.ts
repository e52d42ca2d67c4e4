import { join } from "node:path";
import { atIntervals } from "./cluster/steps.ts";
import { failure, type MochaResult } from "./test/mocha.ts";
import { HELP, type Options, parseOptions } from "./test/options.ts";
import { messageOf, runSuites, total } from "./test/running.ts";
import { buildPrograms } from "./test/stage.ts";
import { type Suite, strayFiles, suitesOf } from "./test/suites.ts";
import { summaryOf } from "./test/summary.ts";

/** `npm test`: every test of the project; the last line says how many passed and failed. */

const root = join(import.meta.dirname, "..");

const say = (text: string) => console.log(`▸ ${text}`);

/** The suites that are asked for, each with the files that are asked for. */
function wantedSuites({ suites, files }: Options): readonly Suite[] {
  const wanted = (file: string) => files.length === 0 || files.includes(file);
  return suitesOf(root)
    .filter(({ name }) => suites.includes(name))
    .map((suite) => ({ ...suite, files: suite.files.filter(wanted) }))
    .filter((suite) => files.length === 0 || suite.files.length > 0);
}

async function runAll(options: Options, signal: AbortSignal): Promise<readonly MochaResult[]> {
  const strays = strayFiles(root).map((file) => failure(`${file} is in no suite`));
  for (const { trouble } of strays) say(trouble ?? "");
  const suites = wantedSuites(options);
  if (suites.length === 0) return [...strays, failure("no test file is called so")];
  if (suites.some(({ needsPrograms }) => needsPrograms)) await buildPrograms(atIntervals(30_000, say));
  return [...strays, ...(await runSuites(suites, { ...options, root, signal, say }))];
}

async function main(signal: AbortSignal): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) {
    console.log(HELP);
    return 0;
  }
  let results: readonly MochaResult[];
  try {
    results = await runAll(options, signal);
  } catch (error) {
    say(messageOf(error));
    results = [failure("the tests could not be started")];
  }
  for (const line of summaryOf(results)) console.log(line);
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
