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
];
