import assert from "node:assert/strict";
import type { DeletionPolicy } from "../../../operator/api/component.ts";
import type { Environment, EnvironmentSpec } from "../../../operator/api/environment.ts";
import { decideRun } from "../../../operator/run/decide.ts";
import { whyPointless } from "../../../operator/run/pointless.ts";
import { aComponent, aLifetime, anEnvironment, aRun, T0 } from "../../fakes/objects.ts";
import { observation, runSpec } from "./observations.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const run = (operation: "Apply" | "Destroy") => aRun(runSpec({ operation }));
const network = aComponent("network");
const mortal = anEnvironment([network], { spec: { lifetime: aLifetime() } });
const leaving = anEnvironment([network], { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } });
const sleep = { schedule: "0 20 * * *", wake: "0 7 * * *", timeZone: "UTC" };
const sleeper = anEnvironment([{ ...network, sleep: { destroy: true } }], {
  spec: { lifetime: { sleep } as NonNullable<EnvironmentSpec["lifetime"]> },
});

/** Its component network is no longer declared, and had this policy. */
function remembering(policy: DeletionPolicy, deletionPolicy: DeletionPolicy = "Destroy"): Environment {
  const line = { name: "network", state: "Destroying", reason: "Destroying", deletionPolicy: policy } as const;
  const status = { components: [line] } as unknown as NonNullable<Environment["status"]>;
  return { ...anEnvironment([aComponent("other")], { spec: { deletionPolicy } }), status };
}

interface Row {
  readonly what: string;
  readonly operation: "Apply" | "Destroy";
  readonly environment: Environment | undefined;
  readonly hour?: number;
  readonly why: string | undefined;
}

const rows: readonly Row[] = [
  { what: "an apply in a living environment", operation: "Apply", environment: mortal, why: undefined },
  { what: "an apply after the end", operation: "Apply", environment: mortal, hour: 24, why: "Expired" },
  { what: "an apply during a deletion", operation: "Apply", environment: leaving, why: "Destroying" },
  { what: "an apply without an environment", operation: "Apply", environment: undefined, why: "Destroying" },
  {
    what: "an apply of what is no longer declared",
    operation: "Apply",
    environment: anEnvironment([aComponent("other")]),
    why: "Superseded",
  },
  {
    what: "an apply of what an older spec does not declare",
    operation: "Apply",
    environment: anEnvironment([aComponent("other")], { metadata: { generation: 0 } }),
    why: undefined,
  },
  { what: "a destroy during a deletion", operation: "Destroy", environment: leaving, why: undefined },
  {
    what: "a destroy during a deletion of what is to be kept by now",
    operation: "Destroy",
    environment: { ...leaving, spec: { ...leaving.spec, deletionPolicy: "Retain" } },
    why: "Superseded",
  },
  {
    what: "a destroy of what is no longer declared, and was to be kept when it was",
    operation: "Destroy",
    environment: remembering("Retain"),
    why: "Superseded",
  },
  {
    what: "a destroy of what is no longer declared, where only others are to be kept",
    operation: "Destroy",
    environment: remembering("Destroy", "Retain"),
    why: undefined,
  },
  { what: "a destroy without an environment", operation: "Destroy", environment: undefined, why: undefined },
  { what: "a destroy after the end", operation: "Destroy", environment: mortal, hour: 24, why: undefined },
  {
    what: "a destroy after the end was put off",
    operation: "Destroy",
    environment: mortal,
    hour: 23,
    why: "Superseded",
  },
  {
    what: "a destroy of what is not declared",
    operation: "Destroy",
    environment: anEnvironment([aComponent("other")]),
    why: undefined,
  },
  {
    what: "a destroy of what is declared again",
    operation: "Destroy",
    environment: anEnvironment([network]),
    why: "Superseded",
  },
  {
    what: "a destroy of what is declared under another name now",
    operation: "Destroy",
    environment: anEnvironment([aComponent("vpc", { formerName: "network" })]),
    why: "Superseded",
  },
  { what: "a destroy in its sleep", operation: "Destroy", environment: sleeper, hour: 22, why: undefined },
  { what: "a destroy in the day", operation: "Destroy", environment: sleeper, hour: 12, why: "Superseded" },
];

describe("Whether a Run is worth going on with", () => {
  for (const { what, operation, environment, hour = 0, why } of rows) {
    it(`${why === undefined ? "not pointless" : `pointless (${why})`}: ${what}`, () => {
      assert.equal(whyPointless(run(operation), environment, T0 + hour * HOUR_MS)?.reason, why);
    });
  }

  it("does not depend on clocks that differ by a minute: who is early does not undo what the other began", () => {
    assert.equal(whyPointless(run("Destroy"), mortal, T0 + DAY_MS - 60_000), undefined);
    for (const atMs of [20 * HOUR_MS - 60_000, 7 * HOUR_MS + 60_000])
      assert.equal(whyPointless(run("Destroy"), sleeper, T0 + atMs), undefined);
  });

  it("is asked before a pod is made: such a Run is cancelled", () => {
    const facts = { status: undefined, pod: undefined, spec: { operation: "Destroy" } } as const;
    const decision = decideRun(observation({ ...facts, environment: mortal }));
    assert.deepEqual(decision.type === "cancel" && [decision.outcome.result, decision.outcome.reason], [
      "Cancelled",
      "Superseded",
    ]);
  });
});
