import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type { Environment } from "../../operator/api/environment.ts";
import type { ComponentStatus } from "../../operator/api/environment-status.ts";
import { without } from "../../operator/storage/change.ts";
import type { ComponentRecord } from "../../operator/storage/record.ts";
import { customizationOf, runScript } from "../fakes/argo-lua.ts";
import { aModule } from "../fakes/world-people.ts";
import type { Moment } from "../fakes/world-statuses.ts";
import { chaos } from "./chaos.ts";
import { lives } from "./lives.ts";
import { isConverged, type Told, tell, until } from "./telling.ts";

const CHAOTIC = 6;
const HEALTH = ["Healthy", "Progressing", "Suspended", "Degraded"];

/** Reasons that mean waiting for a word or an hour, for which nothing is wrong. */
const WAITS = ["AwaitingApproval", "RemovalNeedsConfirmation", "Suspended", "WindowClosed", "Expired"];

interface Read {
  readonly status: string;
  readonly reason: string;
}

const conditionOf = ({ object }: Moment, type: string): Read =>
  object.status?.conditions?.find((one) => one.type === type) ?? { status: "Unknown", reason: "" };

/** What tells two moments apart for whoever reads them: not their names and times. */
function kindOfMoment(moment: Moment): string {
  const { kstatus, object } = moment;
  const conditions = (object.status?.conditions ?? []).map(({ type, status, reason }) => [type, status, reason]);
  const seen = object.status?.observedGeneration === object.metadata.generation;
  const { phase, components = [] } = (object.status ?? {}) as {
    phase?: string;
    components?: readonly ComponentStatus[];
  };
  const lines = new Set(components.map(({ state, reason }) => `${state} ${reason}`).toSorted());
  return JSON.stringify([kindOf(moment), kstatus, conditions, seen, phase, [...lines]]);
}

const kindOf = ({ object }: Moment): "Environment" | "Run" => ("components" in object.spec ? "Environment" : "Run");

const says =
  ({ person }: Told, type: string, reason: string) =>
  () =>
    person.conditionOf(type)?.reason === reason;

/** Every word of a person that ends something, and a state that is lost and comes back. */
async function isStoppedByPeople(told: Told): Promise<void> {
  const { person, world } = told;
  const change = (value: string) => person.set("network", "value", value);
  person.create([aModule("network")], { approval: { required: 1, planExpiresAfter: "24h" } });
  await until(told, "created", () => isConverged(told));
  change("rejected");
  await until(told, "asked", () => person.waiting().length > 0, false);
  for (const run of person.waiting()) person.say("Reject", "ann", run);
  await until(told, "rejected", says(told, "Stalled", "Rejected"), false);
  change("cancelled");
  await until(told, "asked again", () => person.waiting().length > 0, false);
  person.cancel(person.waiting()[0]);
  await until(told, "cancelled", says(told, "Stalled", "Cancelled"), false);
  const { memory } = world.store;
  const [record] = memory.records();
  assert.ok(record !== undefined);
  const stored = async (next: ComponentRecord) =>
    memory.updateRecord(next, (await memory.record(record.key))?.version ?? "");
  await stored(without(record, "state"));
  await until(told, "lost", says(told, "Stalled", "StateLost"), false);
  await stored(record);
  person.request();
  await until(told, "mended", () => isConverged(told));
  person.delete();
  await until(told, "gone", () => !person.exists());
}

/** Everything that can be waited for, once. */
async function waitsForEverything(told: Told): Promise<void> {
  const { person } = told;
  person.create([aModule("network"), aModule("app", ["network"])]);
  await until(told, "created", () => isConverged(told), false);
  person.suspend(true);
  person.set("network", "value", "v2");
  await until(told, "suspended", says(told, "Ready", "Suspended"), false);
  person.suspend(false);
  person.set("app", "mode", "plan-fails");
  await until(told, "given up", says(told, "Stalled", "RetriesExhausted"), false);
  person.set("app", "mode", "good");
  await until(told, "mended", () => isConverged(told), false);
  person.remove("app");
  await until(told, "removed", says(told, "Stalled", "RemovalNeedsConfirmation"), false);
  person.confirmDestroy("app");
  await until(told, "smaller", () => isConverged(told), false);
  person.delete();
  await until(told, "gone", () => !person.exists(), false);
}

async function distinctMoments(): Promise<readonly Moment[]> {
  const found = new Map<string, Moment>();
  for (const story of [
    waitsForEverything,
    isStoppedByPeople,
    ...lives,
    ...Array.from({ length: CHAOTIC }, () => chaos),
  ]) {
    await tell({ seed: found.size + 1 }, async (told) => {
      await story(told);
      for (const moment of told.world.moments) found.set(kindOfMoment(moment), moment);
    });
  }
  return [...found.values()];
}

/** What an honest button bar and an honest heart would show. */
function mustBe(moment: Moment): readonly string[] {
  const [ready, stalled] = [conditionOf(moment, "Ready"), conditionOf(moment, "Stalled")];
  switch (moment.kstatus) {
    case "Terminating":
      return stalled.status === "True" ? ["Degraded", "Suspended", "Progressing"] : ["Progressing", ...runEnds(moment)];
    case "Failed":
      return WAITS.includes(stalled.reason) ? ["Suspended"] : ["Degraded"];
    case "Current":
      return ["Healthy"];
    case "InProgress":
      return WAITS.includes(ready.reason) || WAITS.includes(conditionOf(moment, "Succeeded").reason)
        ? ["Suspended", "Progressing"]
        : ["Progressing"];
  }
}

/** A Run is deleted together with its Environment, whatever became of it. */
const runEnds = (moment: Moment) => (kindOf(moment) === "Run" ? HEALTH : []);

describe("Argo CD", () => {
  it("shows every status that the stories produce as what it is", async function () {
    this.timeout(180_000);
    const moments = await distinctMoments();
    const seen = new Set<string>();
    for (const moment of moments) {
      const kind = kindOf(moment);
      const customization = customizationOf(kind);
      const health = await customization.health(moment.object);
      const what = `${kindOfMoment(moment)} is shown as ${JSON.stringify(health)}`;
      assert.ok(mustBe(moment).includes(health.status), what);
      assert.equal(typeof health.message, "string", what);
      if (conditionOf(moment, "Ready").status === "False") assert.notEqual(health.status, "Healthy", what);
      if (health.status === "Degraded")
        assert.ok(conditionOf(moment, "Stalled").status === "True" || kind === "Run", what);
      await actsOn(moment, customization);
      seen.add(`${kind} ${health.status}`);
    }
    assert.ok(moments.length > 60, `only ${moments.length} statuses`);
    for (const status of ["Healthy", "Progressing", "Suspended", "Degraded"])
      assert.ok(seen.has(`Environment ${status}`), `no story has an Environment that is ${status}`);
    if (this.test !== undefined) this.test.title += `: ${moments.length} of them`;
  });

  /** Each action that is offered gives an answer, and changes nothing but what it is for. */
  async function actsOn({ object }: Moment, customization: ReturnType<typeof customizationOf>): Promise<void> {
    for (const [name, { disabled }] of Object.entries(await customization.discovery(object))) {
      if (disabled) continue;
      for (const { operation, resource } of await customization.action(name, object)) {
        if (operation !== "patch") continue;
        const { metadata, status } = resource as Environment;
        assert.deepEqual([metadata.name, metadata.uid], [object.metadata.name, object.metadata.uid]);
        assert.ok(isDeepStrictEqual(status?.conditions, object.status?.conditions), name);
      }
    }
  }
});

describe("Argo CD's scripts", () => {
  const environment = (conditions: readonly object[] | undefined, more: object = {}, spec: object = {}) => ({
    apiVersion: "terrarium.dev/v1alpha1",
    kind: "Environment",
    metadata: { name: "shop", namespace: "team", generation: 2, ...more },
    spec: { suspend: false, ...spec },
    ...(conditions === undefined ? {} : { status: { observedGeneration: 2, conditions } }),
  });
  const condition = (type: string, status: string, reason: string) => ({ type, status, reason, message: `${reason}.` });
  const stalled = (reason: string) => [condition("Ready", "False", reason), condition("Stalled", "True", reason)];
  const waiting = (reason: string) => [
    condition("Ready", "False", reason),
    condition("Stalled", "False", "Progressing"),
  ];

  const healths: readonly (readonly [string, object, string, string])[] = [
    ["nobody has seen", environment(undefined), "Progressing", "the operator has not seen this spec yet"],
    [
      "was changed a moment ago",
      environment([condition("Ready", "True", "Applied")], { generation: 3 }),
      "Progressing",
      "the operator has not seen this spec yet",
    ],
    ["is applied", environment([condition("Ready", "True", "Applied")]), "Healthy", "Applied."],
    ["is on its way", environment(waiting("Progressing")), "Progressing", "Progressing."],
    ["fails and is tried again", environment(waiting("PlanFailed")), "Progressing", "PlanFailed."],
    ["waits for approval", environment(waiting("AwaitingApproval")), "Suspended", "AwaitingApproval."],
    ["waits for a window", environment(waiting("WindowClosed")), "Suspended", "WindowClosed."],
    ["is suspended with a change", environment(waiting("Suspended")), "Suspended", "Suspended."],
    [
      "is destroyed at its end",
      environment([...waiting("Expired"), condition("Reconciling", "True", "Destroying")]),
      "Progressing",
      "Expired.",
    ],
    ["has come to its end", environment(waiting("Expired")), "Suspended", "Expired."],
    ["sleeps", environment([condition("Ready", "True", "Asleep")]), "Healthy", "Asleep."],
    [
      "waits for a word about a removal",
      environment(stalled("RemovalNeedsConfirmation")),
      "Suspended",
      "RemovalNeedsConfirmation.",
    ],
    ["was interrupted", environment(stalled("Interrupted")), "Degraded", "Interrupted."],
    ["was rejected", environment(stalled("Rejected")), "Degraded", "Rejected."],
    [
      "cannot be destroyed without its credentials",
      environment(stalled("CredentialsMissing"), { deletionTimestamp: "2026-01-01T00:00:00Z" }),
      "Degraded",
      "CredentialsMissing.",
    ],
  ];
  for (const [name, object, status, message] of healths)
    it(`shows an Environment that ${name} as ${status}`, async () => {
      assert.deepEqual(await customizationOf("Environment").health(object), { status, message });
    });

  it("asks for a Run by an annotation, beside those that are there", async () => {
    const { action } = customizationOf("Environment");
    const [answer] = await action("run", environment(undefined, { annotations: { kept: "yes" } }));
    assert.ok(answer);
    const { metadata } = answer.resource as Environment;
    assert.equal(metadata.annotations?.kept, "yes");
    assert.match(metadata.annotations?.["terrarium.dev/requestedAt"] ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  it("suspends what runs, and lets go on what is suspended", async () => {
    const { action, discovery } = customizationOf("Environment");
    for (const [suspend, offered] of [
      [false, "suspend"],
      [true, "resume"],
    ] as const) {
      const object = environment(undefined, {}, { suspend });
      const actions = await discovery(object);
      assert.deepEqual([actions.suspend?.disabled, actions.resume?.disabled], [suspend, !suspend]);
      const [answer] = await action(offered, object);
      assert.ok(answer);
      assert.equal((answer.resource as Environment).spec.suspend, !suspend);
    }
  });

  const run = (phase: string | undefined, conditions: readonly object[] = []) => ({
    apiVersion: "terrarium.dev/v1alpha1",
    kind: "Run",
    metadata: { name: "shop-network-1a2b3c4d", namespace: "team", uid: "run-uid", generation: 1 },
    spec: { environment: { name: "shop" } },
    status: { observedGeneration: 1, phase, conditions, plan: { digest: `sha256:${"0a".repeat(32)}` } },
  });

  const runs: readonly (readonly [string, object, string])[] = [
    ["nobody has seen", run(undefined), "Progressing"],
    ["is applied", run("Applying", [condition("Succeeded", "Unknown", "Progressing")]), "Progressing"],
    ["waits for people", run("AwaitingApproval", [condition("Succeeded", "Unknown", "AwaitingApproval")]), "Suspended"],
    ["went well", run("Succeeded", [condition("Succeeded", "True", "Applied")]), "Healthy"],
    ["was overtaken", run("Cancelled", [condition("Succeeded", "False", "Superseded")]), "Healthy"],
    ["failed", run("Failed", [condition("Succeeded", "False", "PlanFailed")]), "Degraded"],
    ["was cut off", run("Interrupted", [condition("Succeeded", "False", "Interrupted")]), "Degraded"],
    ["cannot be proven dead", run("Applying", [condition("Stalled", "True", "ProofOfDeathMissing")]), "Degraded"],
  ];
  for (const [name, object, status] of runs)
    it(`shows a Run that ${name} as ${status}`, async () => {
      assert.equal((await customizationOf("Run").health(object)).status, status);
    });

  it("offers a decision only about a plan that waits", async () => {
    const offered = async (object: object) =>
      Object.values(await customizationOf("Run").discovery(object)).some(({ disabled }) => !disabled);
    assert.equal(await offered(run("AwaitingApproval")), true);
    assert.equal(await offered(run("Planning")), false);
    assert.equal(await offered(run("Succeeded")), false);
    assert.equal(await offered({ ...run("AwaitingApproval"), status: { phase: "AwaitingApproval" } }), false);
  });

  for (const [name, decision] of [
    ["approve", "Approve"],
    ["reject", "Reject"],
  ] as const)
    it(`${name}s exactly the plan that was shown, in its own name`, async () => {
      assert.deepEqual(await customizationOf("Run").action(name, run("AwaitingApproval")), [
        {
          operation: "create",
          resource: {
            apiVersion: "terrarium.dev/v1alpha1",
            kind: "Approval",
            metadata: {
              name: `shop-network-1a2b3c4d-argocd-${name}`,
              namespace: "team",
              ownerReferences: [
                { apiVersion: "terrarium.dev/v1alpha1", kind: "Run", name: "shop-network-1a2b3c4d", uid: "run-uid" },
              ],
            },
            spec: {
              environment: "shop",
              run: { name: "shop-network-1a2b3c4d", uid: "run-uid" },
              planDigest: `sha256:${"0a".repeat(32)}`,
              decision,
              approver: "system:serviceaccount:argocd:argocd-server",
              reason: "a person pressed the button in Argo CD",
            },
          },
        },
      ]);
    });

  it("get no more of Lua in these tests than from Argo CD", async () => {
    await assert.rejects(runScript(`return ("a"):upper()`, {}));
    for (const name of ["string", "os", "io", "math", "load", "dofile"])
      assert.deepEqual(await runScript(`return { there = ${name} ~= nil }`, {}), { there: false }, name);
    assert.deepEqual(await runScript("return obj", { a: [{ b: 'q"\\\n' }], none: {} }), {
      a: [{ b: 'q"\\\n' }],
      none: [],
    });
  });
});
