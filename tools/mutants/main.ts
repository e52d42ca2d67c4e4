import { join } from "node:path";
import { parseArgs } from "node:util";
import { clusterDown } from "../cluster/cluster-down.ts";
import { MUTANTS } from "./all.ts";
import { DAILY } from "./daily.ts";
import { type JourneyMutant, type Mutant, triedBy } from "./mutant.ts";
import { makeScratch, type Scratch } from "./scratch.ts";
import { type Finding, run, travelled, tried } from "./trial.ts";

/** `npm run mutants [-- M07 …]`: seeds each bug into a copy of the checkout and tells which test notices. All must be noticed. */

const HELP = `npm run mutants [-- [OPTIONS] [M07 …]]

Seeds bugs, one after the other, into a copy of this checkout, and runs the tests that should notice. The last line is
\`N caught, N survived\`. First the tests by themselves, which must pass: one that fails anyway catches nothing.

  --journeys      the bugs J01 … instead: each is brought to a local cluster of their own, where a journey must notice it
  --name CLUSTER  that cluster, which is taken away at the end (default: mutants)
  --by FILE       with this test file alone, which has five minutes for each bug; without M07 …, all that name it: with
                  \`--by test/stories/chaos.test.ts\` it is told which promise the simulation sees broken
  --list          only tell what there is
  --jobs N        so many at a time (default: 2; journeys: always 1)
  --help          this text`;

const root = join(import.meta.dirname, "../..");

/** How one kind of mutants is tried. */
interface Trial<M extends Mutant> {
  readonly mutants: readonly M[];
  readonly jobs: number;
  /** Does the test fail although nothing is spoilt? */
  readonly failsAnyway: (mutant: M, scratch: Scratch) => Promise<boolean>;
  readonly tried: (mutant: M, scratch: Scratch) => Promise<Finding>;
}

function quickly(jobs: number): Trial<Mutant> {
  const untouched = new Map<string, Promise<Finding>>();
  const alone = (file: string, scratch: Scratch) => {
    const known = untouched.get(file) ?? run(scratch.folder, file);
    untouched.set(file, known);
    return known;
  };
  return {
    mutants: MUTANTS,
    jobs,
    async failsAnyway({ tests }, scratch) {
      for (const file of tests) if ((await alone(file, scratch)).type === "caught") return true;
      return false;
    },
    tried,
  };
}

function onCluster(name: string): Trial<JourneyMutant> {
  return {
    mutants: DAILY,
    jobs: 1,
    failsAnyway: async (mutant, scratch) =>
      (await travelled({ ...mutant, edits: [] }, scratch, name)).type === "caught",
    tried: (mutant, scratch) => travelled(mutant, scratch, name),
  };
}

function sayFinding({ id, bug }: Mutant, finding: Finding, seconds: number): void {
  const time = `${seconds.toFixed(0)} s`;
  if (finding.type === "survived") console.log(`✘ ${id} ${bug}: SURVIVED (${time})`);
  else
    console.log(
      `✔ ${id} ${bug}: caught in ${time} by ${finding.file}\n      ${finding.test}\n      ${finding.how.slice(0, 200)}`,
    );
}

/** Resolves with how many survived. Throws where a test fails without any bug. */
async function tryAll<M extends Mutant>({ mutants, jobs, failsAnyway, tried }: Trial<M>): Promise<number> {
  const untouched = makeScratch(root);
  try {
    const failing: string[] = [];
    for (const [index, mutant] of mutants.entries()) {
      const fails = await failsAnyway(mutant, untouched);
      if (fails) failing.push(mutant.id);
      console.log(`▸ ${index + 1} of ${mutants.length}: without ${mutant.id} its tests ${fails ? "FAIL" : "pass"}`);
    }
    if (failing.length > 0) throw new TypeError(`tests of these fail without any mutant: ${failing.join(", ")}`);
  } finally {
    untouched.remove();
  }
  const waiting = [...mutants];
  let survived = 0;
  const worker = async () => {
    const scratch = makeScratch(root);
    try {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        const began = performance.now();
        const finding = await tried(mutant, scratch).catch((cause: Error) => {
          throw new Error(`${mutant.id}: ${cause.message}`, { cause });
        });
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

/** Those of the trial that are asked for; all where none is. */
function chosen<M extends Mutant>(trial: Trial<M>, ids: readonly string[]): Trial<M> {
  const unknown = ids.filter((id) => !trial.mutants.some((mutant) => mutant.id === id));
  if (unknown.length > 0) throw new TypeError(`no mutant is called ${unknown.join(", ")}`);
  return ids.length === 0 ? trial : { ...trial, mutants: trial.mutants.filter(({ id }) => ids.includes(id)) };
}

async function tell<M extends Mutant>(trial: Trial<M>, onlyList: boolean): Promise<number> {
  if (onlyList) {
    for (const { id, bug } of trial.mutants) console.log(`${id} ${bug}`);
    return 0;
  }
  const survived = await tryAll(trial);
  console.log(`${trial.mutants.length - survived} caught, ${survived} survived`);
  return survived === 0 ? 0 : 1;
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      journeys: { type: "boolean", default: false },
      name: { type: "string", default: "mutants" },
      by: { type: "string" },
      list: { type: "boolean", default: false },
      jobs: { type: "string", default: "2" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (!values.journeys) {
    const trial = chosen(quickly(Number(values.jobs)), positionals);
    const mutants = values.by === undefined ? trial.mutants : triedBy(trial.mutants, values.by, positionals);
    return tell({ ...trial, mutants }, values.list);
  }
  if (values.by !== undefined) throw new TypeError("--by is not for journeys: each of them has one file");
  const trial = chosen(onCluster(values.name), positionals);
  return tell(trial, values.list).finally(() => (values.list ? undefined : clusterDown({ name: values.name })));
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
