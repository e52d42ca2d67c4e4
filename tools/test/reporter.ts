import { writeFileSync } from "node:fs";
import Mocha from "mocha";

/** The reporter option that names the file for the counts. */
export const COUNTS_OPTION = "counts";

/** What a run of mocha came to. A hook that fails counts as a failure. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Mocha's spec reporter, which also writes the counts to a file: without that file, the run did not get to its end. */
export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const file = options.reporterOptions?.[COUNTS_OPTION] as string | undefined;
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      const counts: Counts = { passed: passes, failed: failures, skipped: pending };
      if (file !== undefined) writeFileSync(file, JSON.stringify(counts));
    });
  }
}
