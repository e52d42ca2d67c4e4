import assert from "node:assert/strict";
import type { Environment } from "../../../operator/api/environment.ts";
import type { EnvironmentStatus } from "../../../operator/api/environment-status.ts";
import type { EnvironmentPorts } from "../../../operator/environment/ports.ts";
import { reconcileEnvironment } from "../../../operator/environment/reconcile.ts";
import { statusFor } from "../../../operator/environment/status.ts";
import { KeyMissing, RecordsUnreadable, StoreCorrupt, type UnreadableRecord } from "../../../operator/storage/port.ts";
import type { ComponentRecord } from "../../../operator/storage/record.ts";
import { sameJson } from "../../fakes/frozen.ts";
import { kstatusOf, violationsBetween, violationsOf } from "../../fakes/kstatus.ts";
import { aComponent, anEnvironment, anOutput, CATALOGUE, T0 } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

const LATER = new Date(T0 + 3_600_000);

const lacksKey = (component: string): UnreadableRecord => ({
  component,
  holder: `Secret record-of-${component}`,
  error: new KeyMissing("0a0a0a0a0a0a0a0a"),
});
const isDamaged = (component: string): UnreadableRecord => ({
  component,
  holder: `Secret record-of-${component}`,
  error: new StoreCorrupt(`record team/shop/${component}`, "it was altered, or belongs to something else"),
});

/** An Environment that was Ready when its records could be read last. */
function settled(change: (environment: Environment) => Environment = (environment) => environment) {
  const outputs = [{ name: "url", valueFrom: { output: { component: "site", name: "url" } } }];
  const story = aStory(anEnvironment([aComponent("network"), aComponent("site")], { spec: { outputs } }));
  story.settle({ site: [anOutput("url")] });
  const published = { lines: [{ name: "url", value: "https://shop", digest: "digest-of-url" }] };
  const status = statusFor(story.environment(), story.decision(), published, new Date(T0)) ?? assert.fail();
  const environment = change({ ...story.environment(), status });
  return { environment, records: [...story.records.values()], runs: story.runs() };
}

/** Rounds on a world of which nothing but what is there and its status may be touched. */
function rounds({ environment: first, records, runs }: ReturnType<typeof settled>, unreadable: UnreadableRecord[]) {
  let environment = first;
  const writes: EnvironmentStatus[] = [];
  const events: string[] = [];
  const read = (): readonly ComponentRecord[] => {
    if (unreadable.length > 0) throw new RecordsUnreadable(unreadable);
    return records;
  };
  const ports = {
    now: () => LATER,
    catalogue: CATALOGUE,
    usualDeletions: 0,
    environment: () => environment,
    runsOf: () => runs,
    recordsOf: read,
    freshRecordsOf: async () => read(),
    revisionOf: () => ({ state: "unfollowed" }),
    deletedTogether: () => 1,
    crdTerminating: async () => false,
    follow() {},
    stopFollowing() {},
    async writeStatus(_environment, status) {
      if (sameJson(environment.status, status)) return false;
      writes.push(status);
      environment = { ...environment, status };
      return true;
    },
    event: (_environment, type, reason, message) => void events.push(`${type} ${reason}: ${message}`),
  } satisfies Partial<EnvironmentPorts>;
  const round = () =>
    reconcileEnvironment("team", "shop", ports as unknown as EnvironmentPorts, new AbortController().signal);
  const condition = (name: string) => environment.status?.conditions?.find(({ type }) => type === name);
  const line = (name: string) => environment.status?.components?.find((component) => component.name === name);
  return { round, writes, events, condition, line, environment: () => environment };
}

describe("A record that cannot be read", () => {
  for (const [what, unreadable, reason, says] of [
    ["its key is missing", lacksKey("site"), "KeyMissing", /^site: .* key 0a0a0a0a0a0a0a0a is not in the key Secret/],
    [
      "it is damaged",
      isDamaged("site"),
      "RecordUnreadable",
      /^site: .* restore Secret record-of-site from the backup .*altered/,
    ],
  ] as const)
    it(`stalls its Environment, which says what to do, and is looked at again: ${what}`, async () => {
      const before = settled();
      const { round, condition, environment } = rounds(before, [unreadable]);
      const outcome = await round();
      assert.ok(outcome.type === "failed" && outcome.error instanceof RecordsUnreadable);
      const said = (type: string) => [condition(type)?.status, condition(type)?.reason];
      assert.deepEqual(said("Ready"), ["False", reason]);
      assert.deepEqual(said("Stalled"), ["True", reason]);
      assert.deepEqual(said("Reconciling"), ["False", reason]);
      assert.match(condition("Stalled")?.message ?? "", says);
      assert.equal(kstatusOf(environment()), "Failed");
      const broken = [...violationsOf(environment()), ...violationsBetween(before.environment, environment())];
      assert.deepEqual(broken, []);
    });

  it("is told once, however often it is tried, with one event", async () => {
    const { round, writes, events } = rounds(settled(), [isDamaged("site")]);
    for (let tries = 0; tries < 3; tries += 1) await round();
    assert.equal(writes.length, 1);
    assert.deepEqual(
      events.map((event) => event.split(": its record")[0]),
      ["Warning RecordUnreadable: site"],
    );
  });

  it("leaves what else was told as it was: the other components, drift, and the outputs that are published", async () => {
    const drifted = {
      type: "Drifted",
      status: "True",
      reason: "DriftFound",
      message: "network: thing.a",
      observedGeneration: 1,
      lastTransitionTime: new Date(T0).toISOString(),
    } as const;
    const before = settled((environment) => {
      const status = environment.status ?? assert.fail();
      return { ...environment, status: { ...status, conditions: [...(status.conditions ?? []), drifted] } };
    });
    const { round, condition, line, environment } = rounds(before, [isDamaged("site")]);
    await round();
    assert.deepEqual(condition("Drifted"), drifted);
    assert.deepEqual(line("network"), before.environment.status?.components?.[0]);
    assert.deepEqual([line("site")?.state, line("site")?.reason], ["Stalled", "RecordUnreadable"]);
    assert.match(line("site")?.message ?? "", /^its record cannot be read: restore Secret record-of-site/);
    assert.deepEqual(environment().status?.outputs, before.environment.status?.outputs);
    assert.notEqual(environment().status?.summary, "2/2 ready");
  });

  it("leaves outputs to be written that a new spec may want elsewhere", async () => {
    const edited = settled(({ metadata, ...rest }) => ({ ...rest, metadata: { ...metadata, generation: 2 } }));
    const { round, environment } = rounds(edited, [isDamaged("network")]);
    await round();
    assert.equal(environment().status?.observedGeneration, 2);
    assert.deepEqual(environment().status?.outputs, [{ name: "url", value: "https://shop" }]);
  });

  it("counts the others, and names the one first that lacks its key", async () => {
    const { round, condition, line } = rounds(settled(), [isDamaged("network"), lacksKey("site")]);
    await round();
    assert.match(condition("Stalled")?.message ?? "", /^site \(and 1 more\): .*key/);
    assert.deepEqual([line("network")?.reason, line("site")?.reason], ["RecordUnreadable", "KeyMissing"]);
  });

  it("keeps an Environment that is being deleted, without a step", async () => {
    const deletionTimestamp = new Date(T0).toISOString();
    const deleted = settled(({ metadata, ...rest }) => ({ ...rest, metadata: { ...metadata, deletionTimestamp } }));
    const { round, condition } = rounds({ ...deleted, records: [], runs: [] }, [lacksKey("site")]);
    assert.equal((await round()).type, "failed");
    assert.equal(condition("Stalled")?.reason, "KeyMissing");
  });

  it("is told also of an Environment of which nothing was told yet", async () => {
    const fresh = { environment: anEnvironment([aComponent("site")]), records: [], runs: [] };
    const { round, environment } = rounds(fresh, [isDamaged("site")]);
    await round();
    assert.equal(kstatusOf(environment()), "Failed");
    assert.deepEqual(violationsOf(environment()), []);
  });

  it("holds up nothing any more once it can be read", async () => {
    const before = settled();
    const unreadable = [lacksKey("site")];
    const { round, condition, environment } = rounds(before, unreadable);
    await round();
    unreadable.pop();
    assert.equal((await round()).type, "settled");
    assert.equal(condition("Ready")?.status, "True");
    const { components, outputs, summary } = before.environment.status ?? {};
    assert.deepEqual([environment().status?.components, environment().status?.summary], [components, summary]);
    assert.deepEqual(environment().status?.outputs, outputs);
  });
});
