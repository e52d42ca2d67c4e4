import { join } from "node:path";
import { parseArgs } from "node:util";
import { MUTANTS } from "./all.ts";
import type { Mutant } from "./mutant.ts";
import { makeScratch, type Scratch } from "./scratch.ts";
import { type Finding, run, tried } from "./trial.ts";

/** `npm run mutants [-- M07 …]`: seeds each bug into a copy of the checkout and tells which test notices. All must be noticed. */

const HELP = `npm run mutants [-- [OPTIONS] [M07 …]]

Seeds bugs, one after the other, into a copy of this checkout, and runs the tests that should notice. The last line is
\`N caught, N survived\`. First the tests by themselves, which must pass: one that fails anyway catches nothing.

  --list     only tell what there is
  --jobs N   so many at a time (default: 2)
  --help     this text`;

const root = join(import.meta.dirname, "../..");

function sayFinding({ id, bug }: Mutant, finding: Finding, seconds: number): void {
  const time = `${seconds.toFixed(0)} s`;
  if (finding.type === "survived") console.log(`✘ ${id} ${bug}: SURVIVED (${time})`);
  else
    console.log(
      `✔ ${id} ${bug}: caught in ${time} by ${finding.file}\n      ${finding.test}\n      ${finding.how.slice(0, 200)}`,
    );
}

/** The tests that fail without any mutant. */
async function baseline(mutants: readonly Mutant[], scratch: Scratch): Promise<readonly string[]> {
  const files = [...new Set(mutants.flatMap(({ tests }) => tests))];
  const failing: string[] = [];
  for (const file of files) if ((await run(scratch.folder, file)).type === "caught") failing.push(file);
  return failing;
}

async function tryAll(mutants: readonly Mutant[], jobs: number): Promise<number> {
  const waiting = [...mutants];
  let survived = 0;
  const worker = async () => {
    const scratch = makeScratch(root);
    try {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        const began = performance.now();
        const finding = await tried(mutant, scratch);
        sayFinding(mutant, finding, (performance.now() - began) / 1000);
        if (finding.type === "survived") survived += 1;
      }
    } finally {
      scratch.remove();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, mutants.length) }, worker));
  return survived;
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      list: { type: "boolean", default: false },
      jobs: { type: "string", default: "2" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const unknown = positionals.filter((id) => !MUTANTS.some((mutant) => mutant.id === id));
  if (unknown.length > 0) throw new TypeError(`no mutant is called ${unknown.join(", ")}`);
  const mutants = positionals.length === 0 ? MUTANTS : MUTANTS.filter(({ id }) => positionals.includes(id));
  if (values.list) {
    for (const { id, bug } of mutants) console.log(`${id} ${bug}`);
    return 0;
  }
  const scratch = makeScratch(root);
  const failing = await baseline(mutants, scratch).finally(() => scratch.remove());
  if (failing.length > 0) throw new TypeError(`these fail without any mutant: ${failing.join(", ")}`);
  const survived = await tryAll(mutants, Number(values.jobs));
  console.log(`${mutants.length - survived} caught, ${survived} survived`);
  return survived === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
