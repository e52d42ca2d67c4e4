import { globSync } from "node:fs";
import { join } from "node:path";

export interface Suite {
  readonly name: string;
  /** Test files, from the root of the checkout. */
  readonly files: readonly string[];
  /** True: the tests start engines or parts of Kubernetes, which are built for them. */
  readonly needsPrograms: boolean;
  /** True: the tests need a cluster with the operator in it. */
  readonly needsCluster: boolean;
  /** True: each file is a process of its own, and several run at the same time. */
  readonly separate: boolean;
  /** After this time one process of the suite is ended, and counts as failed. */
  readonly deadlineMinutes: number;
}

type Nature = Omit<Suite, "files">;

/** In the order in which they run: what is quick and near the cause comes first. */
const NATURES: readonly Nature[] = [
  { name: "unit", needsPrograms: false, needsCluster: false, separate: false, deadlineMinutes: 10 },
  { name: "stories", needsPrograms: false, needsCluster: false, separate: false, deadlineMinutes: 15 },
  { name: "runner", needsPrograms: true, needsCluster: false, separate: false, deadlineMinutes: 15 },
  { name: "apiserver", needsPrograms: true, needsCluster: false, separate: false, deadlineMinutes: 15 },
  { name: "journeys", needsPrograms: true, needsCluster: true, separate: true, deadlineMinutes: 30 },
];

export const SUITE_NAMES: readonly string[] = NATURES.map(({ name }) => name);

/** The suites of a checkout. A suite is the folder of its name below `test`. */
export function suitesOf(root: string): readonly Suite[] {
  const files = testFiles(root);
  return NATURES.map((nature) => ({ ...nature, files: files.filter((file) => suiteOf(file) === nature.name) }));
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
