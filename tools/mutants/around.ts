import type { Mutant } from "./mutant.ts";

/** Bugs that lead around a promise: by another name, at another moment, to another cluster. */
export const AROUND: readonly Mutant[] = [
  {
    id: "M82",
    bug: "what a plan moves and destroys is kept by its new name alone",
    edits: [
      {
        file: "operator/approval/protection.ts",
        find: "previousAddress === undefined ? []",
        replace: 'previousAddress !== "" ? []',
      },
    ],
    tests: ["test/unit/approval/protection.test.ts"],
  },
  {
    id: "M83",
    bug: "what waits for a place is begun although its Environment is suspended",
    edits: [
      {
        file: "operator/run/decide.ts",
        find: "if (notNow !== undefined) return",
        replace: 'if (notNow !== undefined && notNow.reason !== "Suspended") return',
      },
    ],
    tests: ["test/unit/run/suspend.test.ts"],
  },
  {
    id: "M84",
    bug: "a Run at work needs nothing before its record says so",
    edits: [{ file: "operator/environment/usage.ts", find: " || beginning(past) !== undefined", replace: "" }],
    tests: ["test/unit/environment/usage.test.ts"],
  },
  {
    id: "M85",
    bug: "what an interrupted apply left goes with its Run",
    edits: [
      {
        file: "operator/environment/recovery.ts",
        find: "isUntold: teller === undefined && journal !== undefined",
        replace: "isUntold: false",
      },
    ],
    tests: ["test/unit/environment/recovery-beside.test.ts"],
  },
  {
    id: "M86",
    bug: "a command goes to the cluster of the last kubeconfig",
    edits: [{ file: "operator/cluster/kubeconfig-files.ts", find: ".find(Boolean)", replace: ".findLast(Boolean)" }],
    tests: ["test/unit/cluster/kubeconfig.test.ts"],
  },
  {
    id: "M87",
    bug: "a Run is let go before the kubelet has told which image ran",
    edits: [{ file: "operator/run/image.ts", find: "awaited && isRecent", replace: "awaited && !isRecent" }],
    tests: ["test/unit/run/image.test.ts"],
  },
  {
    id: "M88",
    bug: "a word that is said after the end of a Run changes its record",
    edits: [{ file: "operator/run/status.ts", find: "isClosed(observation.run) || ", replace: "" }],
    tests: ["test/unit/run/image.test.ts"],
  },
  {
    id: "M89",
    bug: "nobody keeps the login of a plan that waits, so its branch is not followed",
    edits: [
      {
        file: "operator/storage/holding.ts",
        find: "login === undefined ? {} : { sourceCredentials: login }",
        replace: "{}",
      },
    ],
    tests: ["test/unit/gateway/held.test.ts"],
  },
  {
    id: "M90",
    bug: "rules that are declared while a plan is made count for the next one only",
    edits: [{ file: "operator/assembly/judge.ts", find: "if (other !== undefined)", replace: 'if (other === "")' }],
    tests: ["test/unit/assembly/judge.test.ts"],
  },
  {
    id: "M91",
    bug: "a plan is applied although its ConfigMap holds another module by now",
    edits: [
      { file: "runner/agent/inputs.ts", find: "files === undefined ? {} : { files: encoded(files) }", replace: "{}" },
    ],
    tests: ["test/runner/held.test.ts"],
  },
  {
    id: "M92",
    bug: "pods that cannot be made keep the places of all others",
    edits: [
      { file: "operator/assembly/run-ports.ts", find: 'if (made?.type !== "made") places.giveBack(run);', replace: "" },
    ],
    tests: ["test/unit/assembly/run-ports.test.ts"],
  },
  {
    id: "M93",
    bug: "a lost state is nothing to destroy once its Runs are gone",
    edits: [{ file: "operator/environment/removal.ts", find: "toldLost(subject) ?? lostState", replace: "lostState" }],
    tests: ["test/unit/environment/told-loss.test.ts"],
  },
  {
    id: "M94",
    bug: "a plan that waits does not notice that the clock was set",
    edits: [
      {
        file: "operator/run/reconcile.ts",
        find: "Math.min(LONGEST_WAIT_MS, Math.max(0, decision.wakeAtMs - nowMs))",
        replace: "Math.max(0, decision.wakeAtMs - nowMs)",
      },
    ],
    tests: ["test/unit/run/reconcile.test.ts"],
  },
  {
    id: "M95",
    bug: "a pod on a lost node counts as one that is ending, for ever",
    edits: [{ file: "operator/run/leaving.ts", find: "if (nowMs >= wakeAtMs)", replace: "if (nowMs < 0)" }],
    tests: ["test/unit/run/leaving.test.ts"],
  },
  {
    id: "M96",
    bug: "what a former owner applied is up to date, although no plan of the new one has ended well",
    edits: [{ file: "operator/storage/record.ts", find: " && !isOnlyAdopted(record);", replace: ";" }],
    tests: ["test/unit/environment/adopted.test.ts"],
  },
  {
    id: "M97",
    bug: "a pod whose creation was not answered is not found again",
    edits: [
      {
        file: "operator/assembly/run-ports.ts",
        find: "away === undefined && !isAlreadyExists(error)) throw error;",
        replace: "away === undefined) throw error;",
      },
    ],
    tests: ["test/unit/assembly/run-ports.test.ts", "test/faults/writes.test.ts"],
  },
  {
    id: "M98",
    bug: "a pod that only plans stores a state",
    edits: [
      {
        file: "operator/storage/claims.ts",
        find: "  if (applying !== undefined) return;",
        replace: "  if (applying !== null) return;",
      },
    ],
    tests: ["test/unit/storage/versions.test.ts", "test/unit/gateway/only-planned.test.ts"],
  },
  {
    id: "M99",
    bug: "a correction that waits hides that what its component needs is being changed",
    edits: [
      {
        file: "operator/environment/waiting-component.ts",
        find: "isComingCorrection(run) && heldBack === undefined ?",
        replace: "isComingCorrection(run) ?",
      },
    ],
    tests: ["test/unit/environment/drift-proposal.test.ts"],
  },
];
