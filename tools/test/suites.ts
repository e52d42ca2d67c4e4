import { globSync } from "node:fs";
import { join } from "node:path";
import type { MochaRun } from "./mocha.ts";

export interface Suite {
  readonly name: string;
  /** Test files, from the root of the checkout, in the order in which they run. */
  readonly files: readonly string[];
  /** True: the tests start engines or parts of Kubernetes, which are built for them. */
  readonly needsPrograms: boolean;
  /** True: the tests need a cluster with the operator in it. */
  readonly needsCluster: boolean;
  /** After this time one process of the suite is ended, and counts as failed. */
  readonly deadlineMinutes: number;
}

type Nature = Omit<Suite, "files">;

/** In the order in which they run: what is quick and near the cause comes first. */
const NATURES: readonly Nature[] = [
  { name: "unit", needsPrograms: false, needsCluster: false, deadlineMinutes: 30 },
  { name: "stories", needsPrograms: false, needsCluster: false, deadlineMinutes: 30 },
  { name: "runner", needsPrograms: true, needsCluster: false, deadlineMinutes: 30 },
  { name: "apiserver", needsPrograms: true, needsCluster: false, deadlineMinutes: 30 },
  { name: "faults", needsPrograms: true, needsCluster: false, deadlineMinutes: 30 },
  { name: "journeys", needsPrograms: true, needsCluster: true, deadlineMinutes: 30 },
];

export const SUITE_NAMES: readonly string[] = NATURES.map(({ name }) => name);

/** What takes minutes begins first, so that nothing long is left over when everything else has ended. */
const LONGEST = ["shop", "interruptions", "gateway", "inputs", "configuration", "time", "size", "drift", "deletion"];

/** Leaves nothing out of the stories, the faults and the journeys, for which there is no time every day. */
const WHOLE = { TERRARIUM_STORIES: "5000", TERRARIUM_FAULTS: "all" };
const WHOLE_TAKES_TIMES = 8;

/** How much the processes of a suite try, and how long each may take. */
export function extentOf(
  { deadlineMinutes }: Suite,
  whole: boolean,
): Pick<MochaRun, "environment" | "deadlineMinutes"> {
  if (!whole) return { environment: {}, deadlineMinutes };
  return { environment: WHOLE, deadlineMinutes: deadlineMinutes * WHOLE_TAKES_TIMES };
}

/** The suites of a checkout. A suite is the folder of its name below `test`. */
export function suitesOf(root: string): readonly Suite[] {
  const files = testFiles(root).toSorted((a, b) => rank(a) - rank(b));
  return NATURES.map((nature) => ({ ...nature, files: files.filter((file) => suiteOf(file) === nature.name) }));
}

/** A file of tests that disturb what all others stand on: nothing else may use the cluster meanwhile. */
export function isAlone(file: string): boolean {
  return file.split("/").includes("alone");
}

function rank(file: string): number {
  const place = LONGEST.findIndex((name) => file === `test/journeys/${name}.test.ts`);
  return place === -1 ? LONGEST.length : place;
}

/** Test files that no suite would ever run. */
export function strayFiles(root: string): readonly string[] {
  return testFiles(root).filter((file) => !SUITE_NAMES.includes(suiteOf(file)));
}

function testFiles(root: string): readonly string[] {
  return globSync("test/**/*.test.ts", { cwd: root }).sort();
}

function suiteOf(file: string): string {
  return file.split("/")[1] ?? join(file);
}
