/** What scripts can rely on. */
export const EXIT = {
  done: 0,
  /** Something went wrong; stderr says what. */
  error: 1,
  /** The command line is not understood. */
  usage: 2,
  /** The answer is no, or not yet: not Ready, nothing waits, not cancelled, something is wrong. */
  waiting: 3,
  /** The caller's rights do not suffice. */
  forbidden: 4,
  /** There is no such Environment, Run or pod. */
  notFound: 5,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_MEANINGS: readonly (readonly [code: ExitCode, meaning: string])[] = [
  [EXIT.done, "done"],
  [EXIT.error, "an error, which is told on stderr"],
  [EXIT.usage, "the command line is not understood, or something must be confirmed and nobody can be asked"],
  [EXIT.waiting, "no, or not yet: not Ready, nothing that waits for approval, a Run not cancelled, something wrong"],
  [EXIT.forbidden, "your rights do not suffice"],
  [EXIT.notFound, "there is no such Environment, Run or log"],
  [EXIT.interrupted, "ended by Ctrl-C"],
];
