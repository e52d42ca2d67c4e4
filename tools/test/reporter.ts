import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import Mocha from "mocha";

/** The reporter option that names the file for the counts. */
export const COUNTS_OPTION = "counts";

/** A test or a hook that failed. */
export interface Failure {
  /** The test file, from the root of the checkout. */
  readonly file: string;
  readonly test: string;
  /** The error with its stack. */
  readonly error: string;
}

/** What a run of mocha came to. A hook that fails counts as a failure. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly Failure[];
}

/** Mocha's spec reporter, which also writes the counts to a file: without that file, the run did not get to its end. */
export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const file = options.reporterOptions?.[COUNTS_OPTION] as string | undefined;
    const failed: Failure[] = [];
    runner.on(Mocha.Runner.constants.EVENT_TEST_FAIL, (test: Mocha.Runnable, error: unknown) => {
      failed.push({
        file: relative(process.cwd(), test.file ?? ""),
        test: test.fullTitle(),
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    });
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      const counts: Counts = { passed: passes, failed: failures, skipped: pending, failures: failed };
      if (file !== undefined) writeFileSync(file, JSON.stringify(counts));
    });
  }
}
