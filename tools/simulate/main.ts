import { cpus } from "node:os";
import { storyOf } from "../../test/stories/simulation.ts";
import { HELP, type Options, parseOptions } from "./options.ts";
import { tellAll } from "./threads.ts";

/** `npm run simulate`: thousands of stories, each of which must keep every promise. */

/** Pages of trouble that are printed; more of them would hide the first. */
const MOST_REPORTS = 3;
const PROGRESS_MS = 10_000;

async function one(seed: number, without: readonly string[]): Promise<number> {
  const { lines, trouble, trace, incidents } = await storyOf(seed, new Set(without));
  console.log(lines.join("\n"));
  console.log(`${incidents.length} incidents: ${incidents.join(" ")}\ntrace ${trace}`);
  if (trouble !== undefined) console.log(`\n${trouble.message}`);
  return trouble === undefined ? 0 : 1;
}

async function many({ from, stories, jobs }: Options): Promise<number> {
  const began = performance.now();
  const reports: string[] = [];
  let [told, steps, incidents, printedAt] = [0, 0, 0, began];
  const minutes = () => (performance.now() - began) / 60_000;
  await tellAll({
    from,
    stories,
    jobs,
    onTold(some) {
      told += some.count;
      steps += some.steps;
      incidents += some.incidents;
      reports.push(...some.reports);
      for (const report of some.reports.slice(0, Math.max(0, MOST_REPORTS - reports.length + some.reports.length)))
        console.log(`\n${report}\n`);
      if (performance.now() - printedAt < PROGRESS_MS) return;
      printedAt = performance.now();
      console.log(
        `${told} of ${stories} stories, ${Math.round(told / minutes())} a minute, ${reports.length} went wrong`,
      );
    },
  });
  const cpu = process.cpuUsage();
  console.log(
    [
      `${told} stories from seed ${from}: ${reports.length} broke a promise`,
      `${steps} steps, ${incidents} incidents, ${minutes().toFixed(1)} min on ${jobs} threads (${Math.round(told / minutes())} stories a minute)`,
      `${((cpu.user + cpu.system) / 1e6).toFixed(0)} s of processor time, ${cpus()[0]?.model ?? "unknown processor"}`,
    ].join("\n"),
  );
  return reports.length === 0 ? 0 : 1;
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) console.log(HELP);
  else process.exitCode = options.seed === undefined ? await many(options) : await one(options.seed, options.without);
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
