import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Environment } from "../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../operator/api/names.ts";
import type { Run } from "../../operator/api/run.ts";
import type { WatchTiming } from "../../operator/assembly/caches.ts";
import { createClient } from "../../operator/cluster/client.ts";
import { isNotFound } from "../../operator/cluster/errors.ts";
import type { Pod, Secret } from "../../operator/cluster/kinds.ts";
import type { KubeObject } from "../../operator/cluster/ports.ts";
import { ENVIRONMENTS, PODS, RUNS, SECRETS } from "../../operator/cluster/resources.ts";
import { desiredDigestOf } from "../../operator/environment/digest.ts";
import { startGateway } from "../../operator/gateway/gateway.ts";
import { GATEWAY_FIELD_MANAGER } from "../../operator/gateway/run-status.ts";
import { systemClock } from "../../operator/loop/clock.ts";
import { openKeyRing } from "../../operator/storage/keys.ts";
import { createSecretStore } from "../../operator/storage/secret-store.ts";
import { makeNamespace, until } from "../apiserver/engine-server.ts";
import { anEnvironment } from "../fakes/objects.ts";
import { createCloud } from "../fakes/world-cloud.ts";
import { aModule } from "../fakes/world-people.ts";
import { type Operator, startOperator } from "./operator.ts";
import { type Fate, type Line, type LineOptions, openLine, type Seen } from "./proxy.ts";
import { startRunners } from "./runner.ts";
import { stage } from "./stage.ts";

export interface Trouble {
  readonly fateOf?: (seen: Seen) => Fate;
  readonly watching?: LineOptions["watching"];
  readonly timing?: WatchTiming;
  /** Told how many changes of real things there were: true kills the pod that made the last one. */
  readonly podDiesAt?: (changes: number) => boolean;
}

/** What a story came to: equal for every telling of it, whatever went wrong. */
export interface Ending {
  /** Runs and pods that were ever made. */
  readonly runs: number;
  readonly pods: number;
  /** Everything that engines did, in order. */
  readonly ledger: readonly string[];
  readonly writes: number;
  readonly log: readonly string[];
}

const GOES: Fate = { type: "goes" };
const NAME = "shop";

/** A place of its own on the shared API server: namespaces, gateway, runners, and an operator that is started anew whenever it is killed. */
async function openPlace(trouble: Trouble) {
  const set = await stage();
  const namespace = `story-${randomUUID().slice(0, 8)}`;
  const home = `${namespace}-home`;
  for (const name of [namespace, home]) await makeNamespace(set.client, name);
  const told: string[] = [];
  const broken: string[] = [];
  const tell = (line: string) => void told.push(line);
  const violated = (what: string) => void broken.push(what);
  const cloud = createCloud(violated);
  const ring = await openKeyRing(set.client, home);
  const gateway = await startGateway({
    client: createClient(set.transport, { fieldManager: GATEWAY_FIELD_MANAGER }),
    store: createSecretStore({ client: set.client, namespace: home, ring }),
    ring,
    namespace: home,
    hosts: ["127.0.0.1"],
    listen: { host: "127.0.0.1", port: 0 },
    digestOfApplied: (spec, revision) => desiredDigestOf(spec.inputsDigest, revision),
    clock: systemClock,
    log: { info: () => {}, error: (facts, message) => violated(`the gateway: ${message} ${JSON.stringify(facts)}`) },
  });
  let changes = 0;
  const dies = () => {
    changes += 1;
    return trouble.podDiesAt?.(changes) ?? false;
  };
  const runners = startRunners({ stage: set, gateway, namespace, cloud, tell, violated, dies });
  const lines: Line[] = [];
  let operator: Promise<Operator>;
  let ended = false;
  let writes = 0;
  const begin = async (): Promise<Operator> => {
    const before = writes;
    const line = await openLine(set.api, {
      namespace,
      fateOf(seen) {
        writes = before + seen.write;
        return trouble.fateOf?.({ ...seen, write: writes }) ?? GOES;
      },
      ...(trouble.watching === undefined ? {} : { watching: trouble.watching }),
      onKill: () => void again(),
    });
    lines.push(line);
    const timing = trouble.timing ?? {};
    return startOperator({ url: line.url, ring, home, gatewayCa: gateway.caPem, timing, tell });
  };
  const again = (): void => {
    const dead = operator;
    tell("the operator is killed");
    operator = dead.then((one) => one.kill()).then(() => (ended ? dead : begin()));
  };
  operator = begin();
  await operator;
  return {
    client: set.client,
    namespace,
    home,
    cloud,
    told,
    broken,
    log: () => lines.flatMap(({ log }) => log),
    writes: () => writes,
    async close() {
      ended = true;
      await (await operator).kill();
      await runners.stop();
      for (const line of lines) await line.close();
      await gateway.close();
      await set.client.delete({ ...NAMESPACED, plural: "namespaces", kind: "Namespace" }, undefined, namespace);
      await set.client.delete({ ...NAMESPACED, plural: "namespaces", kind: "Namespace" }, undefined, home);
    },
  };
}

const NAMESPACED = { group: "", version: "v1", namespaced: false } as const;

type Place = Awaited<ReturnType<typeof openPlace>>;

/** Created, applied; changed, applied; deleted, gone. */
export async function life(trouble: Trouble = {}): Promise<Ending> {
  const place = await openPlace(trouble);
  const made = { runs: new Set<string>(), pods: new Set<string>() };
  try {
    const { cloud } = place;
    await createEnvironment(place);
    await ready(place, made, 1);
    assert.equal(cloud.objects().length, 2);
    await edit(place);
    await ready(place, made, 2);
    await place.client.delete(ENVIRONMENTS, place.namespace, NAME);
    await awaited(place, made, "the Environment is gone", async () => (await find(place)) === undefined);
    await awaited(place, made, "Runs and pods are gone", async () => (await left(place)) === 0);
    assert.deepEqual(cloud.objects(), []);
    return { runs: made.runs.size, pods: made.pods.size, ledger: anonymous(cloud.ledger), ...written(place) };
  } catch (error) {
    const story = [...place.log(), ...place.told].slice(-60).join("\n");
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${story}`);
  } finally {
    await place.close();
  }
}

/** An apply is cut off after its first change; a person looks and asks; then all is there. */
export async function interruption(trouble: Trouble = {}): Promise<Ending> {
  const place = await openPlace({ ...trouble, podDiesAt: (changes) => changes === 1 });
  const made = { runs: new Set<string>(), pods: new Set<string>() };
  const component = async () => (await find(place))?.status?.components?.[0];
  try {
    await createEnvironment(place);
    await awaited(place, made, "it is interrupted", async () => (await component())?.state === "Interrupted");
    assert.equal(made.runs.size, 1, "nothing is repeated by itself");
    const annotations = { [ANNOTATIONS.requestedAt]: "now" };
    await place.client.mergePatch(ENVIRONMENTS, place.namespace, NAME, { metadata: { annotations } });
    await awaited(place, made, "it is applied", async () => (await component())?.state === "Ready");
    await place.client.delete(ENVIRONMENTS, place.namespace, NAME);
    await awaited(place, made, "the Environment is gone", async () => (await find(place)) === undefined);
    return { runs: made.runs.size, pods: made.pods.size, ledger: anonymous(place.cloud.ledger), ...written(place) };
  } catch (error) {
    const story = [...place.log(), ...place.told].slice(-60).join("\n");
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${story}`);
  } finally {
    await place.close();
  }
}

const written = (place: Place) => ({ writes: place.writes(), log: place.log() });

/** Runs have other names in each telling. */
const anonymous = (ledger: readonly string[]): readonly string[] =>
  ledger.map((line) => line.replace(/(shop-[a-z]+)-[0-9a-f]{8}/, "$1"));

async function createEnvironment({ client, namespace }: Place): Promise<void> {
  const { metadata, spec } = anEnvironment([aModule("network", [], { size: 2 })]);
  await client.create(ENVIRONMENTS, { metadata: { name: metadata.name, namespace }, spec } as unknown as KubeObject);
}

async function edit({ client, namespace }: Place): Promise<void> {
  const { spec } = anEnvironment([aModule("network", [], { size: 2, value: "v2" })]);
  await client.mergePatch(ENVIRONMENTS, namespace, NAME, { spec: { components: spec.components } });
}

const find = async ({ client, namespace }: Place): Promise<Environment | undefined> =>
  (await client.find<Environment & KubeObject>(ENVIRONMENTS, namespace, NAME)) as Environment | undefined;

async function ready(place: Place, made: Made, generation: number): Promise<void> {
  await awaited(place, made, `generation ${generation} is applied`, async () => {
    const { status, metadata } = (await find(place)) ?? {};
    const condition = status?.conditions?.find(({ type }) => type === "Ready");
    return (
      metadata?.generation === generation && status?.observedGeneration === generation && condition?.status === "True"
    );
  });
}

interface Made {
  readonly runs: Set<string>;
  readonly pods: Set<string>;
}

/** Looks at everything until it is so; whatever was made in between is counted, and every look asks whether a promise was broken. */
async function awaited(place: Place, made: Made, what: string, condition: () => Promise<boolean>): Promise<void> {
  await until(
    what,
    async () => {
      const { client, namespace, broken } = place;
      const [runs, pods] = await Promise.all([
        client.list<Run & KubeObject>(RUNS, { namespace }),
        client.list<Pod>(PODS, { namespace }),
      ]);
      for (const { metadata } of runs.items) made.runs.add(metadata.uid);
      for (const { metadata } of pods.items) made.pods.add(metadata.uid);
      assert.deepEqual(broken, []);
      return condition();
    },
    60_000,
  );
}

async function left({ client, namespace, home }: Place): Promise<number> {
  const [runs, pods, secrets] = await Promise.all([
    client.list(RUNS, { namespace }),
    client.list(PODS, { namespace }),
    client.list<Secret>(SECRETS, { namespace: home, labelSelector: "terrarium.dev/stored=record" }),
  ]).catch((error: unknown) => {
    if (isNotFound(error)) return [];
    throw error;
  });
  return [runs, pods, secrets].reduce((sum, list) => sum + (list?.items.length ?? 0), 0);
}
