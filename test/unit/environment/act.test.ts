import assert from "node:assert/strict";
import type { EnvironmentStatus } from "../../../operator/api/environment-status.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { act } from "../../../operator/environment/act.ts";
import type { EnvironmentPorts } from "../../../operator/environment/ports.ts";
import { reconcileEnvironment } from "../../../operator/environment/reconcile.ts";
import { statusFor } from "../../../operator/environment/status.ts";
import { aComponent, aLifetime, anEnvironment, aRecord, T0 } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

const signal = new AbortController().signal;

describe("A step that the API server refuses", () => {
  const environment = anEnvironment([aComponent("a"), aComponent("b")]);

  async function withRefusal(words = "exceeded quota: runs") {
    const created: string[] = [];
    const ports = {
      now: () => new Date(T0),
      async createRun(_environment, _name, spec) {
        if (spec.component === "a") throw new Error(words);
        created.push(spec.component);
      },
    } satisfies Partial<EnvironmentPorts>;
    const decision = aStory(environment).decision();
    return { created, acted: await act(environment, decision, ports as unknown as EnvironmentPorts, signal) };
  }

  it("does not keep the other components from theirs", async () => {
    const { created, acted } = await withRefusal();
    assert.deepEqual(created, ["b"]);
    assert.equal(acted.errors.length, 1);
  });

  it("is told in the status, in the API server's words", async () => {
    const { acted } = await withRefusal();
    const status = statusFor(environment, acted.decision, { lines: [] }, new Date(T0));
    const line = status?.components?.find(({ name }) => name === "a");
    assert.equal(line?.reason, "StepRefused");
    assert.match(line?.message ?? "", /exceeded quota/);
    assert.equal(status?.conditions?.find(({ type }) => type === "Ready")?.status, "False");
  });

  it("names the way out where the namespace itself is being deleted", async () => {
    const { acted } = await withRefusal(
      'runs "a" is forbidden: unable to create new content because it is being terminated',
    );
    const status = statusFor(environment, acted.decision, { lines: [] }, new Date(T0));
    assert.match(status?.components?.find(({ name }) => name === "a")?.message ?? "", /deletionPolicy: Retain/);
  });
});

describe("A Run of the past that cannot be deleted", () => {
  it("is told as an error of the round, and leaves the component as it stands", async () => {
    const story = aStory(anEnvironment([aComponent("a")], { spec: { history: { successes: 1, failures: 1 } } }));
    for (const requestedAt of ["first", "second", "third"]) {
      story.annotate({ [ANNOTATIONS.requestedAt]: requestedAt });
      story.settle();
    }
    const ports = {
      now: () => new Date(T0),
      async deleteRun() {
        throw new Error("delete runs: 500");
      },
    } satisfies Partial<EnvironmentPorts>;
    const acted = await act(story.environment(), story.decision(), ports as unknown as EnvironmentPorts, signal);
    assert.match(String(acted.errors), /delete runs: 500/);
    const status = statusFor(story.environment(), acted.decision, { lines: [] }, new Date(T0));
    assert.equal(status?.conditions?.find(({ type }) => type === "Ready")?.status, "True");
  });
});

describe("A confirmed removal", () => {
  /** What the annotation is set to when the story's decision is carried out. */
  async function confirmationsAfter(story: ReturnType<typeof aStory>): Promise<readonly (readonly string[])[]> {
    const written: (readonly string[])[] = [];
    const ports = {
      now: () => new Date(T0),
      async setConfirmations(_environment, names) {
        written.push(names);
      },
      async forgetState() {},
      async createRun() {},
    } satisfies Partial<EnvironmentPorts>;
    await act(story.environment(), story.decision(), ports as unknown as EnvironmentPorts, signal);
    return written;
  }

  it("uses up its confirmation, and leaves the others", async () => {
    const environment = anEnvironment([aComponent("b")], {
      metadata: { annotations: { [ANNOTATIONS.confirmDestroy]: "a, c" } },
    });
    const story = aStory(environment);
    story.records.set("a", aRecord("a", { mayHoldObjects: false }));
    assert.deepEqual(await confirmationsAfter(story), [["c"]]);
  });

  it("is confirmed no longer once the component is declared again, whatever became of its destroy", async () => {
    const both = [aComponent("a"), aComponent("b")];
    const story = aStory(anEnvironment(both));
    const declare = (components: typeof both) =>
      story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components } }));
    story.settle();
    declare([aComponent("b")]);
    story.annotate({ [ANNOTATIONS.confirmDestroy]: "a" });
    assert.deepEqual(await confirmationsAfter(story), []);
    story.round();
    assert.equal(story.started.at(-1), "Destroy a #2");
    declare(both);
    assert.deepEqual(await confirmationsAfter(story), [[]], "while it is being destroyed");
    story.end("a", "Destroyed");
    assert.deepEqual(await confirmationsAfter(story), [[]], "afterwards");
  });
});

describe("A write to the Environment that is refused", () => {
  const refuse = async () => {
    throw new Error("patch: 409 Conflict: a webhook");
  };

  it("does not keep any component from its step, nor the annotations from being taken off that can be", async () => {
    const annotations = { [ANNOTATIONS.confirmDestroy]: "a", [ANNOTATIONS.cancel]: "gone" };
    const environment = anEnvironment([aComponent("a"), aComponent("b")], { metadata: { annotations } });
    const done: string[] = [];
    const ports = {
      now: () => new Date(T0),
      runsOf: () => [],
      event() {},
      setConfirmations: refuse,
      async withdrawCancel() {
        done.push("withdrawCancel");
      },
      async createRun(_environment, _name, { component }) {
        done.push(component);
      },
    } satisfies Partial<EnvironmentPorts>;
    const decision = aStory(environment).decision();
    const { errors } = await act(environment, decision, ports as unknown as EnvironmentPorts, signal);
    assert.deepEqual(done, ["withdrawCancel", "a", "b"]);
    assert.match(String(errors), /409/, "and the next round tries again");
  });

  it("keeps the record of what was confirmed until the confirmation is used up", async () => {
    const annotations = { [ANNOTATIONS.confirmDestroy]: "a" };
    const story = aStory(anEnvironment([], { metadata: { annotations } }));
    for (const name of ["a", "b"]) story.records.set(name, aRecord(name, { mayHoldObjects: false }));
    const forgotten: string[] = [];
    const ports = {
      now: () => new Date(T0),
      setConfirmations: refuse,
      async forgetState({ component }) {
        forgotten.push(component);
      },
    } satisfies Partial<EnvironmentPorts>;
    const { decision } = await act(story.environment(), story.decision(), ports as unknown as EnvironmentPorts, signal);
    assert.deepEqual(forgotten, ["b"]);
    const status = statusFor(story.environment(), decision, { lines: [] }, new Date(T0));
    assert.match(status?.components?.[0]?.message ?? "", /a webhook/);
  });

  it("is told where it is the deletion at the end of a lifetime", async () => {
    const environment = anEnvironment([aComponent("a")], { spec: { lifetime: aLifetime({}, "DeleteObject") } });
    let written: EnvironmentStatus | undefined;
    const ports = {
      now: () => new Date(T0 + 48 * 3_600_000),
      environment: () => environment,
      runsOf: () => [],
      freshRecordsOf: async () => [],
      stopFollowing() {},
      deleteEnvironment: refuse,
      async writeStatus(_environment, status) {
        written = status;
        return false;
      },
    } satisfies Partial<EnvironmentPorts>;
    const outcome = await reconcileEnvironment("team", "shop", ports as unknown as EnvironmentPorts, signal);
    const ready = written?.conditions?.find(({ type }) => type === "Ready");
    assert.deepEqual([ready?.status, ready?.reason], ["False", "Expired"]);
    assert.match(ready?.message ?? "", /cannot be deleted: patch: 409 Conflict: a webhook/);
    assert.equal(outcome.type, "failed", "the next round tries again");
  });
});

describe("A change outside of the windows", () => {
  it("is told as an event with the person's reason, and the override goes when all is at rest", async () => {
    const windows = [
      { name: "nights", type: "Allow", schedule: "0 22 * * *", duration: "2h", timeZone: "UTC" } as const,
    ];
    const story = aStory(anEnvironment([aComponent("a")], { spec: { windows } }));
    story.annotate({ [ANNOTATIONS.windowOverride]: "the shop is down" });
    const told: string[] = [];
    const ports = {
      async createRun() {},
      async withdrawOverride() {
        told.push("withdrawn");
      },
      event(_environment, type, reason, message) {
        told.push(`${type} ${reason}: ${message}`);
      },
    } satisfies Partial<EnvironmentPorts>;
    const look = () => act(story.environment(), story.decision(), ports as unknown as EnvironmentPorts, signal);
    await look();
    assert.deepEqual(told, ["Warning WindowOverridden: a: Run 1 begins outside of the windows: the shop is down"]);
    story.settle();
    await look();
    assert.equal(told.at(-1), "withdrawn");
  });
});

describe("Outputs that cannot be written", () => {
  it("keep the Environment from being Ready, and say why", () => {
    const environment = anEnvironment([aComponent("a")]);
    const story = aStory(environment);
    story.settle();
    const published = { lines: [], error: new Error('secrets "shop" is forbidden') };
    const status = statusFor(environment, story.decision(), published, new Date(T0));
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    assert.deepEqual([ready?.status, ready?.reason], ["False", "OutputsNotWritten"]);
    assert.match(ready?.message ?? "", /writeOutputsTo: secrets "shop" is forbidden/);
  });
});
