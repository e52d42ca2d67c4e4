import { failure, type MochaResult, type MochaRun, runMocha } from "./mocha.ts";
import type { Options } from "./options.ts";
import { setStage, strikeStage } from "./stage.ts";
import { extentOf, isAlone, type Suite } from "./suites.ts";

export interface Order extends Pick<Options, "name" | "jobs" | "keep" | "whole"> {
  readonly root: string;
  /** Aborts when a person interrupts the tests. */
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

type Results = readonly MochaResult[];

export function total(results: Results, field: "passed" | "failed" | "skipped"): number {
  return results.reduce((sum, result) => sum + result[field], 0);
}

export const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/**
 * The suites without a cluster, one after the other, while the cluster is made and while the journeys that must be alone
 * in it wait for most of their time. The other journeys have the machine to themselves.
 */
export async function runSuites(suites: readonly Suite[], order: Order): Promise<Results> {
  const quick = suites.filter(({ needsCluster }) => !needsCluster);
  const onCluster = suites.filter(({ needsCluster }) => needsCluster);
  const output = onCluster.length === 0 ? "stream" : "atEnd";
  const quickly = inTurn(quick, (suite) =>
    timed(suite, order, () => runFiles([suite.files], suite, order, { output })),
  );
  const slowly = inTurn(onCluster, (suite) => timed(suite, order, () => onStage(suite, order, quickly)));
  return (await Promise.all([quickly, slowly])).flat();
}

async function inTurn(suites: readonly Suite[], run: (suite: Suite) => Promise<Results>): Promise<Results> {
  const results: MochaResult[] = [];
  for (const suite of suites) results.push(...(await run(suite)));
  return results;
}

/** A stage that cannot be set is a failure of the suite, not of the ones that need none. */
async function onStage(suite: Suite, order: Order, others: Promise<unknown>): Promise<Results> {
  const { name, jobs, keep, say } = order;
  try {
    const environment = await setStage(name, say);
    const each = (wanted: readonly string[], atOnce: number) =>
      runFiles(
        wanted.map((file) => [file]),
        suite,
        order,
        { environment, atOnce },
      );
    const alone = await each(suite.files.filter(isAlone), 1);
    await others;
    const beside = suite.files.filter((file) => !isAlone(file));
    return [...alone, ...(await each(beside, jobs))];
  } catch (error) {
    return [failure(`the cluster could not be made ready: ${messageOf(error)}`)];
  } finally {
    if (!keep) await strikeStage(name).catch((error) => say(`cluster ${name}: ${messageOf(error)}`));
  }
}

interface Manner {
  readonly environment?: Readonly<Record<string, string>>;
  readonly output?: MochaRun["output"];
  /** Processes at the same time. */
  readonly atOnce?: number;
}

/** A process for each group of files; each says when it begins. */
async function runFiles(
  groups: readonly (readonly string[])[],
  suite: Suite,
  { root, whole, signal, say }: Order,
  { environment = {}, output = "atEnd", atOnce = 1 }: Manner,
): Promise<Results> {
  const extent = extentOf(suite, whole);
  const common = { root, signal, output, ...extent, environment: { ...environment, ...extent.environment } };
  const waiting = groups.map((files): MochaRun => ({ ...common, files }));
  const results: MochaResult[] = [];
  const worker = async () => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
      say(run.files.length === 1 ? `${run.files[0]} begins` : `${suite.name} begins`);
      results.push(await runMocha(run));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

async function timed(suite: Suite, { say }: Order, run: () => Promise<Results>): Promise<Results> {
  const { name, files } = suite;
  const start = performance.now();
  const results = files.length === 0 ? [failure(`test/${name} holds no test file`)] : await run();
  for (const { trouble } of results) if (trouble !== undefined) say(`${name}: ${trouble}`);
  const counts = (["passed", "failed", "skipped"] as const).map((field) => `${total(results, field)} ${field}`);
  say(`${name}: ${counts.join(", ")} (${((performance.now() - start) / 1000).toFixed(0)} s)`);
  return results;
}
