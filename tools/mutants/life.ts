import type { Edit, Mutant } from "./mutant.ts";

const CHAOS = "test/stories/chaos.test.ts";
const DECIDE = "test/unit/environment/decide.test.ts";
const FAILED = "test/unit/environment/failed-component.test.ts";
const REMOVAL = "test/unit/environment/removal.test.ts";
const DELETION = "test/unit/environment/deletion.test.ts";
const RECOVERY = "test/unit/environment/recovery.test.ts";
const BESIDE = "test/unit/environment/recovery-beside.test.ts";

const UNSEEN_PASSES: Edit = {
  file: "operator/storage/applying.ts",
  find: "  if (unseen !== undefined) return",
  replace: "  if (unseen === record.storageId) return",
};

/** Neither who decides nor the gateway asks anybody after an interruption. */
export const NOBODY_IS_ASKED: readonly Edit[] = [
  {
    file: "operator/environment/rules-of-run.ts",
    find: "return proposes || unaccounted || replaced ?",
    replace: "return (proposes && unaccounted) || replaced ?",
  },
  UNSEEN_PASSES,
];

/** Bugs in the decisions: what is begun, what is awaited, and what proves an end. */
export const LIFE: readonly Mutant[] = [
  {
    id: "M13",
    bug: "finalizer first: a deleted Environment goes before what it made",
    edits: [
      {
        file: "operator/environment/decide.ts",
        find: "isLeft: owned.length > 0 || busy.length > 0",
        replace: "isLeft: busy.length > 0",
      },
    ],
    tests: [DELETION, CHAOS],
  },
  {
    id: "M14",
    bug: "satisfied = Ready: a dependent does not wait for what it uses to become as declared",
    edits: [
      {
        file: "operator/environment/subject.ts",
        find: "filter((verdict) => !verdict.satisfied);",
        replace: "filter((verdict) => verdict.past.record?.applied === undefined);",
      },
    ],
    tests: [DECIDE, CHAOS],
  },
  {
    id: "M15",
    bug: "proof of death = phase Failed",
    edits: [
      {
        file: "operator/run/death.ts",
        find: "  if (allTerminated(pod)) return",
        replace: '  if (allTerminated(pod) || pod.status?.phase === "Failed") return',
      },
    ],
    tests: ["test/unit/run/death.test.ts"],
  },
  {
    id: "M16",
    bug: "a pod whose object is gone counts as dead",
    edits: [
      {
        file: "operator/run/death.ts",
        find: '    return { type: "unproven", why: "the pod\'s object is gone',
        replace: '    return { type: "dead", outOfMemory: false, how: "the pod\'s object is gone',
      },
    ],
    tests: ["test/unit/run/death.test.ts", "test/stories/diamond.test.ts", CHAOS],
  },
  {
    id: "M17",
    bug: "retry after interruption: an apply that was cut off is repeated, and nobody asked",
    edits: NOBODY_IS_ASKED,
    tests: [RECOVERY, "test/stories/diamond.test.ts", CHAOS],
  },
  {
    id: "M18",
    bug: "an interrupted apply is closed as an ordinary failure",
    edits: [
      {
        file: "operator/run/ending.ts",
        find: "  if (claim?.runUid === run.metadata.uid && claim.applying !== undefined) return",
        replace: "  if (claim?.runUid === record?.storageId && claim?.applying !== undefined) return",
      },
    ],
    tests: ["test/unit/run/ending.test.ts", "test/stories/diamond.test.ts", CHAOS],
  },
  {
    id: "M19",
    bug: "deletes before dependents: what others use is destroyed first",
    edits: [
      {
        file: "operator/environment/removal.ts",
        find: "  if (dependents.length === 0) return undefined;",
        replace: "  if (dependents.length >= 0) return undefined;",
      },
    ],
    tests: [REMOVAL, "test/stories/diamond.test.ts", CHAOS],
  },
  {
    id: "M20",
    bug: "stale cache for destroy: a deletion is decided on records of a moment ago",
    edits: [
      {
        file: "operator/environment/observe.ts",
        find: "ending ? await ports.freshRecordsOf(namespace, name, signal) : ",
        replace: "",
      },
    ],
    tests: ["test/unit/environment/observe.test.ts"],
  },
  {
    id: "M21",
    bug: "a removed component is destroyed without a word",
    edits: [
      {
        file: "operator/environment/removal.ts",
        find: "  if (confirmationsOf(observation.environment).includes(past.name)) return",
        replace: "  if (confirmationsOf(observation.environment).length >= 0) return",
      },
    ],
    tests: [REMOVAL],
  },
  {
    id: "M22",
    bug: "a second Run is begun while one is open",
    edits: [
      {
        file: "operator/environment/component.ts",
        find: "if (past.open !== undefined && waiting === undefined",
        replace: "if (past.open === null && waiting === undefined",
      },
      {
        file: "operator/environment/component.ts",
        find: "  if (past.open !== undefined) return answerForOpenRun(past.open);",
        replace: "",
      },
    ],
    tests: [DECIDE, CHAOS],
  },
  {
    id: "M23",
    bug: "retries without an end",
    edits: [
      {
        file: "operator/environment/attempts.ts",
        find: 'outcome.result !== "Waiting" && retries > limit',
        replace: 'outcome.result !== "Waiting" && retries > limit * 1000',
      },
    ],
    tests: [FAILED, "test/unit/environment/retry.test.ts", "test/stories/diamond.test.ts", CHAOS],
  },
  {
    id: "M24",
    bug: "Retain destroys",
    edits: [
      {
        file: "operator/environment/removal.ts",
        find: '  if (policyOf(subject) !== "Retain") return undefined;',
        replace: '  if (policyOf(subject) !== ("Never" as string)) return undefined;',
      },
    ],
    tests: [REMOVAL, "test/stories/diamond.test.ts"],
  },
];

/** Bugs in what a proof of death is about, and in what comes after it. */
export const DEATHS: readonly Mutant[] = [
  {
    id: "M59",
    bug: "the death of any pod under the Run's name is proof, also where another one was told to apply",
    edits: [
      {
        file: "operator/storage/run-end.ts",
        find: "(proven && (podUid === undefined || podUid === pod))",
        replace: "proven",
      },
    ],
    tests: ["test/unit/storage/run-end.test.ts"],
  },
  {
    id: "M60",
    bug: "a plan that was for a person whatever the rules say becomes an ordinary one while it waits",
    edits: [
      {
        file: "operator/environment/waiting-component.ts",
        find: "rulesOfRun(run.spec.cause.type,",
        replace: 'rulesOfRun("Retry",',
      },
    ],
    tests: [RECOVERY, "test/stories/diamond.test.ts"],
  },
  {
    id: "M61",
    bug: "a request from before the interruption counts as a person's word after it",
    edits: [
      {
        file: "operator/environment/component.ts",
        find: "cutOffOf(past)?.request === asked",
        replace: "cutOffOf(past)?.run === asked",
      },
    ],
    tests: [RECOVERY],
  },
  {
    id: "M62",
    bug: "what falls asleep is destroyed although nobody has looked at what an interrupted apply left",
    edits: [
      {
        file: "operator/environment/sleeping.ts",
        find: "      if (why !== undefined) return staysAwake(decideComponent(observation, component, needs), why);\n",
        replace: "",
      },
    ],
    tests: [BESIDE, "test/unit/environment/sleep-failing.test.ts"],
  },
  {
    id: "M63",
    bug: "the gateway lets a plan through that was made before anybody knew of the interruption",
    edits: [UNSEEN_PASSES],
    tests: ["test/unit/storage/cut-off.test.ts"],
  },
  {
    id: "M64",
    bug: "what a cut-off apply had begun is forgotten when the spec goes back to what was applied before",
    edits: [
      {
        file: "operator/storage/cut-off.ts",
        find: 'boolean => result === "Unchanged" &&',
        replace: "boolean => result.length === 0 &&",
      },
    ],
    tests: ["test/unit/storage/cut-off.test.ts", BESIDE],
  },
];
