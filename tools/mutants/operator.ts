import type { Edit, Mutant } from "./mutant.ts";

const CHAOS = "test/stories/chaos.test.ts";

/** A process that was frozen wakes as the leader that it was. */
export const BELIEVES_IN_ITSELF: readonly Edit[] = [
  {
    file: "operator/loop/lease.ts",
    find: "held !== undefined && clock.monotonicMs() - renewedAt < renewDeadlineMs;",
    replace: "held !== undefined;",
  },
];

/** Bugs in what acts: the process, its requests, the pod, the agent. */
export const OPERATOR: readonly Mutant[] = [
  {
    id: "M25",
    bug: "clock from the record: a lease is taken over by the time that somebody else wrote into it",
    edits: [
      {
        file: "operator/loop/lease.ts",
        find: "    return clock.monotonicMs() - seen.at >= promisedMs;",
        replace:
          "    return clock.now().getTime() - Date.parse(current.spec?.renewTime ?? new Date(0).toISOString()) >= promisedMs;",
      },
    ],
    tests: ["test/unit/loop/lease.test.ts"],
  },
  {
    id: "M26",
    bug: "a leader that was not renewed believes in itself",
    edits: BELIEVES_IN_ITSELF,
    tests: ["test/unit/loop/lease.test.ts"],
  },
  {
    id: "M27",
    bug: "a lost answer is an error: what was created before is not recognised",
    edits: [
      {
        file: "operator/assembly/environment-ports.ts",
        find: "        if (!isAlreadyExists(error)) throw error;",
        replace: "        throw error;",
      },
    ],
    tests: ["test/unit/assembly/environment-ports.test.ts"],
  },
  {
    id: "M28",
    bug: "any pod under the right name is adopted",
    edits: [
      {
        file: "operator/assembly/run-ports.ts",
        find: "    return isSameOrder(existing, wanted) ?",
        replace: "    return isSameOrder(wanted as Stored<Pod>, wanted) ?",
      },
    ],
    tests: ["test/unit/assembly/run-ports.test.ts"],
  },
  {
    id: "M29",
    bug: "the gateway takes any order for one of the operator's",
    edits: [
      {
        file: "operator/gateway/order.ts",
        find: "  return signature !== undefined && sameText(signOrder(ring, order), signature);",
        replace: "  return ring !== undefined && order !== undefined && signature !== null;",
      },
    ],
    tests: ["test/unit/gateway/claiming.test.ts", "test/unit/gateway/strangers.test.ts"],
  },
  {
    id: "M30",
    bug: "the runner pod has no finalizer, and its object goes before its end is known",
    edits: [{ file: "operator/run/pod.ts", find: "finalizers: [FINALIZERS.pod]", replace: "finalizers: []" }],
    tests: ["test/unit/run/pod.test.ts", CHAOS],
  },
  {
    id: "M31",
    bug: "a status is written over an object of the same name",
    edits: [
      {
        file: "operator/cluster/status.ts",
        find: "  return { metadata: { name, uid, resourceVersion,",
        replace: "  return { metadata: { name, uid, ...(resourceVersion === undefined ? {} : {}),",
      },
    ],
    tests: ["test/unit/cluster/status.test.ts", CHAOS],
  },
  {
    id: "M32",
    bug: "a status is written although it says so already",
    edits: [
      {
        file: "operator/cluster/status.ts",
        find: "sameOnTheWire(object.status, status);",
        replace: "sameOnTheWire(object, status);",
      },
    ],
    tests: ["test/unit/cluster/status.test.ts", CHAOS],
  },
  {
    id: "M33",
    bug: "a watch that has become too old is never listed anew",
    edits: [
      {
        file: "operator/loop/reflector.ts",
        find: "        if (isGone(error) || progress.failures >= FAILURES_BEFORE_LIST)",
        replace: "        if (progress.failures < 0)",
      },
    ],
    tests: ["test/unit/loop/reflector-trouble.test.ts"],
  },
  {
    id: "M34",
    bug: "an object that took the place of another of its name is taken for it",
    edits: [
      {
        file: "operator/loop/store.ts",
        find: "a.metadata.uid === b.metadata.uid;",
        replace: "a.metadata.name === b.metadata.name;",
      },
    ],
    tests: ["test/unit/loop/store.test.ts", "test/unit/loop/reflector.test.ts"],
  },
  {
    id: "M35",
    bug: "digest not checked before apply: a plan file that was changed is applied",
    edits: [
      {
        file: "runner/agent/apply-step.ts",
        find: ")) !== order.digest) {",
        replace: ')) === "never") {',
      },
    ],
    tests: ["test/unit/agent/changed-plan.test.ts"],
  },
  {
    id: "M36",
    bug: "secrets are hidden as they are, and not as base64",
    edits: [
      {
        file: "runner/agent/secret-forms.ts",
        find: "    for (const encoded of base64Forms(part)) forms.add(encoded);\n",
        replace: "",
      },
    ],
    tests: ["test/unit/agent/scrub.test.ts"],
  },
];
