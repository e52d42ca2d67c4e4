import type { Mutant } from "./mutant.ts";

/** Bugs in what is known of what exists, and in what is heard. */
export const UNHEARD: readonly Mutant[] = [
  {
    id: "M74",
    bug: "what a replacement has made counts as known, since the state has its address",
    edits: [
      {
        file: "operator/storage/leftovers.ts",
        find: "!isStored(entry, knownAt(entry), old.get(entry.address) ?? [])",
        replace: "!known.has(entry.address)",
      },
    ],
    tests: ["test/unit/storage/leftovers.test.ts"],
  },
  {
    id: "M75",
    bug: "the next apply writes over the journal of one that was cut off",
    edits: [
      {
        file: "operator/storage/cut-off.ts",
        find: "      ...(record.journal?.run === run.name ? { journal: record.journal } : {}),\n",
        replace: "",
      },
    ],
    tests: ["test/unit/storage/cut-off.test.ts"],
  },
  {
    id: "M76",
    bug: "what an interrupted apply may have left falls asleep once an empty plan has settled it",
    edits: [
      {
        file: "operator/storage/record-of-applies.ts",
        find: "return isHeard ? undefined : cutOff;",
        replace: "return attempted === undefined || isHeard ? undefined : cutOff;",
      },
    ],
    tests: ["test/unit/environment/kept-awake.test.ts"],
  },
  {
    id: "M77",
    bug: "the Runs of a former name do not miss a record that is lost",
    edits: [
      {
        file: "operator/environment/lost-state.ts",
        find: "[...runs, ...formerRuns].filter(isClosed)",
        replace: "runs.filter(isClosed)",
      },
    ],
    tests: ["test/unit/environment/lost-witness.test.ts"],
  },
  {
    id: "M78",
    bug: "what arrived before is taken for what stands, though the answer to something newer was lost",
    edits: [{ file: "runner/agent/progress.ts", find: "    this.#arrived = undefined;\n", replace: "" }],
    tests: ["test/unit/agent/progress.test.ts"],
  },
  {
    id: "M79",
    bug: "a write to the Environment that is refused ends the round",
    edits: [
      {
        file: "operator/environment/act.ts",
        find: "    signal.throwIfAborted();\n    return [error];",
        replace: "    throw error;",
      },
    ],
    tests: ["test/unit/environment/act.test.ts"],
  },
  {
    id: "M80",
    bug: "an extension takes back a longer one",
    edits: [
      {
        file: "plugin/commands/extend.ts",
        find: "Date.parse(endOf(environment)) >= Date.parse(until)",
        replace: "Date.parse(endOf(environment)) === Date.parse(until)",
      },
    ],
    tests: ["test/unit/plugin/extend.test.ts"],
  },
  {
    id: "M81",
    bug: "drift of another attribute counts as the drift that is known",
    edits: [{ file: "operator/gateway/check.ts", find: "driftDigest ?? formerDigest", replace: "formerDigest" }],
    tests: ["test/unit/gateway/check.test.ts"],
  },
];
