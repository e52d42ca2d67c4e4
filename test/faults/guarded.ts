import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../../operator/api/environment.ts";
import type { Run } from "../../operator/api/run.ts";
import type { KubeObject } from "../../operator/cluster/ports.ts";
import { ENVIRONMENTS, RUNS } from "../../operator/cluster/resources.ts";
import { changeRecord } from "../../operator/storage/change.ts";
import { openKeyRing } from "../../operator/storage/keys.ts";
import { createSecretStore } from "../../operator/storage/secret-store.ts";
import { aLifetime, anEnvironment } from "../fakes/objects.ts";
import type { Cloud } from "../fakes/world-cloud.ts";
import { aModule } from "../fakes/world-people.ts";
import type { EnginesParts } from "./engines.ts";
import type { Place } from "./place.ts";
import { playedEngines } from "./played-engines.ts";
import { approve, find, inPlace, isApplied, isGone, type Story } from "./story.ts";

const NAME = "shop";
const HOUR_MS = 3_600_000;

/** The first gives an output to the second, of which nothing changes without a person. */
function specAt(value: string) {
  const drift: EnvironmentSpec["drift"] = { interval: "1h", action: "Correct" };
  const approval = { required: 1, planExpiresAfter: "24h" };
  const components = [aModule("network", [], { value }), { ...aModule("app", ["network"]), approval }];
  return anEnvironment(components, { spec: { drift } });
}

/**
 * An output goes from one component to the next, whose plan waits; a change overtakes a plan that waits; somebody edits a real thing, which
 * is found and put right; and at the end of its lifetime all is destroyed, and the object deleted. A person approves four times.
 */
export const guarded: Story = (trouble = {}) => {
  let cloud: Cloud | undefined;
  const engines = (parts: EnginesParts) => {
    const played = playedEngines(parts);
    cloud = played.cloud;
    return played;
  };
  return inPlace({ ...trouble, engines }, async (place) => {
    await create(place);
    await approve(place, await waiting(place, "Created"));
    await isApplied(place, 1);

    await declare(place, specAt("v2").spec);
    const overtaken = await waiting(place, "OutputsChanged");
    await declare(place, specAt("v3").spec);
    const latest = await waiting(place, "OutputsChanged", overtaken);
    assert.equal(named(place, overtaken)?.status?.outcome?.reason, "Superseded");
    await approve(place, latest);
    await isApplied(place, 3);

    const [thing] = cloud?.objects({ namespace: place.namespace, environment: NAME, component: "app" }) ?? [];
    assert.ok(thing !== undefined, "app has made something");
    cloud?.tamper(thing.id, "by hand");
    await letTimePass(place, 2 * HOUR_MS);
    await approve(place, await waiting(place, "DriftFound"));
    await place.awaited(
      "it is as it was",
      () => cloud?.objects().find(({ id }) => id === thing.id)?.content === thing.content,
    );
    await isApplied(place, 3);

    await declare(place, { lifetime: aLifetime({ until: new Date(0).toISOString() }, "DeleteObject") });
    await approve(place, await waiting(place, "Expired"));
    await isGone(place);
    assert.deepEqual(place.engines.things(), []);
  });
};

async function create({ client, namespace }: Place): Promise<void> {
  const { metadata, spec } = specAt("v1");
  await client.create(ENVIRONMENTS, { metadata: { name: metadata.name, namespace }, spec } as unknown as KubeObject);
}

async function declare({ client, namespace }: Place, spec: Partial<EnvironmentSpec>): Promise<void> {
  await client.mergePatch(ENVIRONMENTS, namespace, NAME, { spec });
}

/** The Run of such a cause, other than `not`, whose plan waits for a person. */
async function waiting(place: Place, cause: Run["spec"]["cause"]["type"], not?: Run): Promise<Run> {
  const seek = () =>
    place.view
      .runs()
      .find(
        ({ spec, status, metadata }) =>
          spec.cause.type === cause && status?.phase === "AwaitingApproval" && metadata.uid !== not?.metadata.uid,
      );
  await place.awaited(`a plan waits (${cause})`, () => seek() !== undefined);
  const run = seek();
  assert.ok(run !== undefined);
  return run;
}

const named = (place: Place, { metadata }: Run): Run | undefined =>
  place.view.runs().find((run) => run.metadata.uid === metadata.uid);

/** Everything that has happened so far has happened that much earlier: nobody has to wait, and all clocks agree. */
async function letTimePass(place: Place, ms: number): Promise<void> {
  const { client, namespace, home, view } = place;
  const earlier = (at: string) => new Date(Date.parse(at) - ms).toISOString();
  for (const { metadata, status: { plannedAt = "", finishedAt = "" } = {} } of view.runs()) {
    const status = {
      ...(plannedAt === "" ? {} : { plannedAt: earlier(plannedAt) }),
      ...(finishedAt === "" ? {} : { finishedAt: earlier(finishedAt) }),
    };
    await client.mergePatch(RUNS, namespace, metadata.name, { status }, { subresource: "status" });
  }
  const store = createSecretStore({ client, namespace: home, ring: await openKeyRing(client, home) });
  for (const { name: component } of find(place)?.status?.components ?? [])
    await changeRecord(store, { namespace, environment: NAME, component }, (record) => {
      const { applied } = record;
      assert.ok(applied !== undefined);
      return { next: { ...record, applied: { ...applied, at: earlier(applied.at) } }, answer: undefined };
    });
}
