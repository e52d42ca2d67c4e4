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
];
