import type { Mutant } from "./mutant.ts";

const CHAOS = "test/stories/chaos.test.ts";

/** Bugs in the store's rules: who may write a state, and what is never lost. */
export const STATE: readonly Mutant[] = [
  {
    id: "M01",
    bug: "no intent: an apply begins without a word in the record",
    edits: [
      {
        file: "operator/storage/applying.ts",
        find: "      claim: { ...claim, applying: { planDigest, at: begunAt } },\n      mayHoldObjects: true,\n",
        replace: "",
      },
    ],
    tests: ["test/unit/gateway/apply.test.ts", CHAOS],
  },
  {
    id: "M02",
    bug: "lock off: whoever asks for the lock gets it",
    edits: [{ file: "operator/storage/locking.ts", find: "  if (lock !== undefined) {", replace: "  if (false) {" }],
    tests: ["test/unit/storage/locking.test.ts", CHAOS],
  },
  {
    id: "M03",
    bug: "no UID check: any pod of a Run holds its claim",
    edits: [
      {
        file: "operator/storage/claims.ts",
        find: "claim.runUid === runUid && claim.phase === phase && claim.podUid === podUid",
        replace: "claim.runUid === runUid && claim.phase === phase",
      },
    ],
    tests: ["test/unit/gateway/claiming.test.ts", CHAOS],
  },
  {
    id: "M04",
    bug: "fencing off: a Run that was ended goes on writing",
    edits: [
      {
        file: "operator/storage/claims.ts",
        find: "  if (current.fenced === undefined) return current;\n  throw",
        replace: "  if (current.fenced !== null) return current;\n  throw",
      },
    ],
    tests: ["test/unit/storage/fencing.test.ts", "test/stories/diamond.test.ts", CHAOS],
  },
  {
    id: "M05",
    bug: "serial check off: an older state replaces a newer one",
    edits: [
      {
        file: "operator/storage/versions.ts",
        find: "  if (incoming.serial > head.serial) return",
        replace: "  if (incoming.serial >= 0) return",
      },
    ],
    tests: ["test/unit/storage/versions.test.ts", "test/unit/storage/fencing.test.ts"],
  },
  {
    id: "M06",
    bug: "lineage check off: the state of something else is taken",
    edits: [
      {
        file: "operator/storage/versions.ts",
        find: "  if (head.lineage !== incoming.lineage)",
        replace: "  if (head.lineage === undefined)",
      },
    ],
    tests: ["test/unit/storage/versions.test.ts", "test/unit/storage/fencing.test.ts"],
  },
  {
    id: "M07",
    bug: "claim not exclusive: a pod takes over from a Run that has not ended",
    edits: [
      {
        file: "operator/storage/claims.ts",
        find: "    mustBeReplaceable(record, current, claimant);\n",
        replace: "",
      },
    ],
    tests: ["test/unit/storage/fencing.test.ts", "test/unit/gateway/claiming.test.ts", CHAOS],
  },
  {
    id: "M08",
    bug: "a claim on its way is not barred when its Run ends before there is a record",
    edits: [
      {
        file: "operator/storage/run-end.ts",
        find: '    if (run.operation === "Destroy" || end.reported === true) return',
        replace: "    if (run.uid !== undefined) return",
      },
    ],
    tests: ["test/unit/storage/run-end.test.ts"],
  },
  {
    id: "M09",
    bug: "journal dropped: what an apply did is not written down",
    edits: [
      {
        file: "operator/storage/journal.ts",
        find: "  if (fresh.length === 0) return;",
        replace: "  if (from >= 0) return;",
      },
    ],
    tests: ["test/unit/storage/journal.test.ts", "test/stories/diamond.test.ts", CHAOS],
  },
  {
    id: "M10",
    bug: "result before store: the Run's status tells the end before the record does",
    edits: [
      {
        file: "operator/gateway/results.ts",
        find: "    await changeRecord(store, session.key, decide, signal);\n  }\n",
        replace:
          "    await statuses.outcome(session, outcome, signal);\n    await changeRecord(store, session.key, decide, signal);\n  }\n",
      },
    ],
    tests: [CHAOS],
  },
  {
    id: "M11",
    bug: "a record that may own real things is forgotten",
    edits: [
      {
        file: "operator/storage/ownership.ts",
        find: '  if (record.mayHoldObjects && record.ownership === "Owned")',
        replace: '  if (record.mayHoldObjects && record.ownership === "Released" && record.key.component === "")',
      },
    ],
    tests: ["test/unit/storage/ownership.test.ts"],
  },
  {
    id: "M12",
    bug: "compare-and-swap off: a record is written over what somebody else wrote meanwhile",
    edits: [
      {
        file: "operator/storage/secret-store.ts",
        find: "resourceVersion: version } };",
        replace: "} };",
      },
    ],
    tests: ["test/unit/storage/secret-store.test.ts"],
  },
];

/** Bugs in what happens to a state where a disk is full. */
export const FULL_DISK: readonly Mutant[] = [
  {
    id: "M57",
    bug: "a state that the agent's disk does not take counts as taken before the store has it",
    edits: [
      {
        file: "runner/agent/state-relay.ts",
        find: "onDisk ? this.#settled(entry) : entry.done",
        replace: "this.#settled(entry)",
      },
    ],
    tests: ["test/runner/disk-full.test.ts"],
  },
  {
    id: "M58",
    bug: "what a full disk has cut off takes the place of the whole recovery copy",
    edits: [
      {
        file: "operator/storage/recovery.ts",
        find: "  if (!(await isState(content)) && (await",
        replace: "  if (content === undefined && (await",
      },
    ],
    tests: ["test/unit/storage/versions.test.ts"],
  },
];

/** Bugs in what follows where a person has put another state in. */
export const BY_HAND: readonly Mutant[] = [
  {
    id: "M65",
    bug: "what follows from a state that a person has put in is applied, and nobody asked",
    edits: [
      {
        file: "operator/environment/rules-of-run.ts",
        find: "return proposes || unaccounted || replaced ?",
        replace: "return proposes || unaccounted ?",
      },
    ],
    tests: ["test/unit/environment/replaced-state.test.ts"],
  },
  {
    id: "M66",
    bug: "a Run that was made before a person put another state in applies what it makes of it",
    edits: [
      {
        file: "operator/storage/applying.ts",
        find: "  if (replaced === undefined || (shown &&",
        replace: "  if (replaced !== undefined || (shown &&",
      },
    ],
    tests: ["test/unit/storage/replaced-state.test.ts"],
  },
];
