import type { Mutant } from "./mutant.ts";

const TALLY = "test/unit/approval/tally.test.ts";
const APPROVED = "test/unit/gateway/approved.test.ts";
const RUNNER = "test/runner/held-modules.test.ts";

/** Bugs in what approval is worth: who said yes, to what, and whether that still counts. */
export const APPROVALS: readonly Mutant[] = [
  {
    id: "M37",
    bug: "approval by name only: a yes to an older Run of the same name counts",
    edits: [
      {
        file: "operator/approval/tally.ts",
        find: "  if (spec.run.uid !== question.run.uid) return",
        replace: "  if (spec.run.name !== question.run.name) return",
      },
    ],
    tests: [TALLY, APPROVED],
  },
  {
    id: "M38",
    bug: "a yes to another plan counts",
    edits: [
      {
        file: "operator/approval/tally.ts",
        find: "  if (spec.planDigest !== question.planDigest) return",
        replace: '  if (spec.planDigest === "") return',
      },
    ],
    tests: [TALLY, APPROVED],
  },
  {
    id: "M39",
    bug: "one person counts as often as they say it",
    edits: [
      {
        file: "operator/approval/tally.ts",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of another file
        find: "if (seen.has(`${spec.decision} ${spec.approver}`))",
        replace: "if (seen.has(spec.planDigest))",
      },
    ],
    tests: [TALLY],
  },
  {
    id: "M40",
    bug: "a plan never grows old",
    edits: [
      { file: "operator/approval/tally.ts", find: "  if (nowMs >= until) return", replace: "  if (nowMs < 0) return" },
    ],
    tests: [TALLY, APPROVED, "test/unit/run/waiting.test.ts"],
  },
  {
    id: "M41",
    bug: "a no is outweighed by yeses",
    edits: [
      {
        file: "operator/approval/tally.ts",
        find: "  if (no !== undefined) return",
        replace: "  if (no !== undefined && counted.length === 1) return",
      },
    ],
    tests: [TALLY],
  },
  {
    id: "M42",
    bug: "the second pod may come with another plan than the one that was held",
    edits: [
      {
        file: "operator/gateway/approved.ts",
        find: "held.plan.digest !== report.digest",
        replace: "held.plan.digest === undefined",
      },
    ],
    tests: [APPROVED],
  },
  {
    id: "M43",
    bug: "a Secret that was rotated while the plan waited is not noticed",
    edits: [
      {
        file: "operator/gateway/approved.ts",
        find: "held.plan.inputsDigest !== report.inputsDigest",
        replace: "held.plan.inputsDigest === undefined",
      },
    ],
    tests: [APPROVED],
  },
  {
    id: "M44",
    bug: "a plan that waits outlives a change of what it was made for",
    edits: [
      {
        file: "operator/environment/waiting-run.ts",
        find: "  if (spec.inputsDigest !== wanted.inputsDigest)",
        replace: "  if (wanted.inputsDigest === undefined)",
      },
    ],
    tests: ["test/unit/environment/overtaken-plan.test.ts"],
  },
  {
    id: "M45",
    bug: "a plan that waits keeps its place",
    edits: [
      {
        file: "operator/assembly/places.ts",
        find: "    return phaseNameOf(run) === phaseNameOf(asked) && recordedPod(run) === undefined;",
        replace: "    return true;",
      },
    ],
    tests: ["test/unit/assembly/places.test.ts"],
  },
  {
    id: "M46",
    bug: "the modules of a plan do not wait with it: at its apply they are what their sources name by then",
    edits: [
      {
        file: "runner/agent/made-files.ts",
        find: "      if (entry.isDirectory()) yield* fetchedIn(",
        replace: "      if (entry.isSocket()) yield* fetchedIn(",
      },
      {
        file: "runner/agent/plan-step.ts",
        find: "initArguments({ keepModules: true })",
        replace: "initArguments()",
      },
    ],
    tests: ["test/unit/agent/bundle.test.ts", RUNNER],
  },
  {
    id: "M47",
    bug: "a module that did not wait with its plan is fetched as it is by then",
    edits: [
      {
        file: "runner/agent/plan-step.ts",
        find: "initArguments({ keepModules: true })",
        replace: "initArguments()",
      },
    ],
    tests: [RUNNER],
  },
  {
    id: "M48",
    bug: "a plan that waited is applied without the modules that came with it",
    edits: [
      {
        file: "runner/launcher/workdir.ts",
        find: "paths.work, tree, copyModules);",
        replace: "paths.work, tree, leaveOut);",
      },
    ],
    tests: ["test/unit/launcher/launcher.test.ts", RUNNER],
  },
  {
    id: "M49",
    bug: "an approved plan is applied while what its component needs is being changed",
    edits: [
      {
        file: "operator/run/waiting.ts",
        find: '      if (plan.type === "heldBack")',
        replace: "      if (plan.type === undefined)",
      },
    ],
    tests: ["test/unit/run/waiting.test.ts"],
  },
  {
    id: "M50",
    bug: "nothing holds a plan back that waits: what its component needs may be half done",
    edits: [
      {
        file: "operator/environment/waiting-component.ts",
        find: "const heldBack = blocked(subject)?.message;",
        replace: "const heldBack = undefined as string | undefined;",
      },
    ],
    tests: ["test/unit/environment/built-on.test.ts", "test/unit/assembly/judge-waited.test.ts"],
  },
  {
    id: "M51",
    bug: "a plan that waits outlives a change of what its component needs",
    edits: [
      {
        file: "operator/environment/built-on.ts",
        find: "    if (isNewer) return",
        replace: '    if (isNewer && component === "") return',
      },
    ],
    tests: ["test/unit/environment/built-on.test.ts", "test/unit/assembly/judge-waited.test.ts"],
  },
  {
    id: "M52",
    bug: "what waited is applied although its Environment was edited while nobody led",
    edits: [
      {
        file: "operator/assembly/judge.ts",
        find: '  if (standing.type === "stands") return undefined;',
        replace: "  if (standing.type !== undefined) return undefined;",
      },
    ],
    tests: ["test/unit/assembly/judge-waited.test.ts"],
  },
  {
    id: "M53",
    bug: "what waited is applied although its Environment is suspended by then",
    edits: [
      {
        file: "operator/run/not-now.ts",
        find: "environment.spec.suspend && changesSomething",
        replace: "environment.spec.suspend === undefined && changesSomething",
      },
    ],
    tests: ["test/unit/assembly/judge-waited.test.ts"],
  },
  {
    id: "M54",
    bug: "what waited is applied although a person has cancelled it",
    edits: [
      {
        file: "operator/assembly/judge.ts",
        find: "    if (isCancelled(run, environment)) {",
        replace: "    if (isCancelled(run, undefined)) {",
      },
    ],
    tests: ["test/unit/assembly/judge-waited.test.ts"],
  },
  {
    id: "M55",
    bug: "open Runs of what is needed are not looked up before what waited is applied",
    edits: [
      {
        file: "operator/assembly/plan-standing.ts",
        find: "  return { runs: runs.items,",
        replace: "  return { runs: runs.items.slice(0, 0),",
      },
    ],
    tests: ["test/unit/assembly/judge-waited.test.ts"],
  },
  {
    id: "M56",
    bug: "a plan that is held back never hears that what it needs is settled",
    edits: [
      {
        file: "operator/assembly/controllers.ts",
        find: "      recordChanges(caches, ({ namespace, environment }) => waitingIn(caches, namespace, environment)),\n",
        replace: "",
      },
    ],
    tests: ["test/unit/assembly/many-runs.test.ts"],
  },
];
