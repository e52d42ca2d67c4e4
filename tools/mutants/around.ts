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
];
