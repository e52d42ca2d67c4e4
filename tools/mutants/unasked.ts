import type { Mutant } from "./mutant.ts";

/** Bugs in whether anybody is asked at all. */
export const UNASKED: readonly Mutant[] = [
  {
    id: "M67",
    bug: "rules left out of a destroy at the end of a lifetime",
    edits: [
      {
        file: "operator/environment/removal.ts",
        find: "    rules: rulesOf(subject),",
        replace: '    rules: ending === "Expired" ? {} : rulesOf(subject),',
      },
    ],
    tests: ["test/unit/environment/lifetime.test.ts"],
  },
  {
    id: "M68",
    bug: "the state API does not ask whether the caller may",
    edits: [
      {
        file: "operator/state-api/server.ts",
        find: "      await mustBeAllowed(context, person, { verb, namespace, name, ...part }, signal);\n",
        replace: "",
      },
    ],
    tests: ["test/unit/state-api/access.test.ts"],
  },
  {
    id: "M69",
    bug: "a state that is put in the place of a lost record counts as one that moves in",
    edits: [
      { file: "operator/storage/by-hand.ts", find: "(begun || wasAtWork(record))", replace: "wasAtWork(record)" },
    ],
    tests: ["test/unit/storage/replaced-state.test.ts"],
  },
  {
    id: "M70",
    bug: "a Run that was made while a state was being stored counts as one that knows it",
    edits: [
      { file: "operator/storage/by-hand.ts", find: "newestRun: Math.max(newestRun, after ?? 0)", replace: "newestRun" },
    ],
    tests: ["test/unit/storage/replaced-state.test.ts"],
  },
  {
    id: "M71",
    bug: "another try of a destroy for the night passes for one that somebody has asked for",
    edits: [
      {
        file: "operator/environment/removal.ts",
        find: 'cause: ending === "Asleep" || lastFailure',
        replace: "cause: lastFailure",
      },
    ],
    tests: ["test/unit/environment/sleep-failing.test.ts"],
  },
  {
    id: "M72",
    bug: "the gateway judges a plan in the night without what its component is kept awake for",
    edits: [
      {
        file: "operator/assembly/plan-standing.ts",
        find: "  if (spec.lifetime?.sleep === undefined) return",
        replace: "  if (component !== undefined) return",
      },
    ],
    tests: ["test/unit/assembly/plan-standing.test.ts"],
  },
  {
    id: "M73",
    bug: "that a state is only in its pod is said once, whether anybody hears it or not",
    edits: [
      {
        file: "runner/agent/progress.ts",
        find: "if (this.#newest !== this.#arrived)",
        replace: "if (this.#newest !== said)",
      },
    ],
    tests: ["test/unit/agent/progress.test.ts"],
  },
];
