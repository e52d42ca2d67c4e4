import { join } from "node:path";
import { type Check, checksOf } from "./check/steps.ts";

/** `npm run check`: everything that can be said about the code without running it. A line for each question. */

/** The first problems are enough to begin with. */
const MOST_LINES = 80;

function indented(problem: string): string {
  const lines = problem.split("\n");
  const more = lines.length - MOST_LINES;
  const shown = more > 0 ? [...lines.slice(0, MOST_LINES), `… ${more} more lines`] : lines;
  return shown.map((line) => `    ${line}`).join("\n");
}

async function report({ name, ask }: Check): Promise<boolean> {
  const start = performance.now();
  const problem = await ask();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${problem === undefined ? "✔" : "✘"} ${name} (${seconds} s)`);
  if (problem !== undefined) console.log(indented(problem));
  return problem === undefined;
}

const answers = await Promise.all(checksOf(join(import.meta.dirname, "..")).map(report));
process.exitCode = answers.every(Boolean) ? 0 : 1;
