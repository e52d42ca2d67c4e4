/** How a journey is declared: `journeys("topic", () => { journey("what comes of what", async (place) => { … }) })`. */
import { randomBytes } from "node:crypto";
import type { Environment } from "../../../operator/api/environment.ts";
import type { Run } from "../../../operator/api/run.ts";
import { ApiError } from "../../../operator/cluster/errors.ts";
import type { Pod } from "../../../operator/cluster/kinds.ts";
import type { KubeObject, Resource } from "../../../operator/cluster/ports.ts";
import { ENVIRONMENTS, NAMESPACES, PODS, RUNS } from "../../../operator/cluster/resources.ts";
import { awaitCondition } from "../../../tools/cluster/await-condition.ts";
import { type Engine, engines } from "./environments.ts";
import { follow } from "./following.ts";
import { type Installation, installation, installationTimeoutMs } from "./installation.ts";
import { Outside } from "./outside.ts";
import { patience } from "./patience.ts";
import { describePlace, keepPicture } from "./picture.ts";
import { Place } from "./place.ts";
import { enter } from "./side-by-side.ts";

export interface JourneyOptions {
  /** Seconds that it may take, without what comes before and after it. */
  readonly within?: number;
  /** For journeys that disturb the whole installation: nobody else travels meanwhile. */
  readonly manner?: "beside others" | "alone";
}

type Travel = (place: Place) => Promise<void>;

/** Environments are taken down while the next journey runs; the end of the suite waits for them. */
const farewells: Promise<void>[] = [];
const farewellSeconds = 120;

export function journeys(topic: string, body: () => void): void {
  describe(topic, () => {
    before("a cluster with Terrarium in it", async function () {
      this.timeout(installationTimeoutMs);
      await installation();
    });
    body();
    after("nothing is left behind", async function () {
      this.timeout((farewellSeconds + 60) * 1000 * patience);
      const ends = await Promise.allSettled(farewells.splice(0));
      const failed = ends.filter((end) => end.status === "rejected");
      if (failed.length > 0)
        throw new AggregateError(
          failed.map(({ reason }) => reason),
          String(failed[0]?.reason),
        );
    });
  });
}

export function journey(title: string, travel: Travel, options: JourneyOptions = {}): void {
  const { within = 240, manner = "beside others" } = options;
  it(title, async function () {
    this.timeout(0);
    const leave = await enter(manner);
    this.timeout((within + 180) * 1000 * patience);
    const place = await arrive(title);
    let failed = true;
    try {
      await travel(place);
      failed = false;
    } catch (error) {
      await explain(place, title, error);
      throw error;
    } finally {
      farewells.push(depart(place, title, failed).finally(manner === "alone" ? undefined : leave));
      if (manner === "alone") {
        await Promise.allSettled(farewells);
        await leave();
      }
    }
  });
}

/** The same journey with each of the engines. */
export function journeyWithEachEngine(
  title: string,
  travel: (place: Place, engine: Engine) => Promise<void>,
  options: JourneyOptions = {},
): void {
  for (const engine of engines) journey(`${title} (${engine})`, (place) => travel(place, engine), options);
}

async function arrive(title: string): Promise<Place> {
  const installed = await installation();
  const words = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-/, "")
    .slice(0, 40)
    .replace(/-$/, "");
  const name = `j-${words}-${randomBytes(3).toString("hex")}`;
  await installed.client.create(NAMESPACES, {
    metadata: { name, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
  });
  // What has just begun anew makes it late; without one no pod is admitted.
  const timeout = `--timeout=${120 * patience}s`;
  await installed.kubectl.run(["wait", "--for=create", "serviceaccount/default", "--namespace", name, timeout]);
  return new Place(installed, name, await Outside.open(installed.hostAddress));
}

async function explain({ installation: installed, namespace }: Place, title: string, error: unknown): Promise<void> {
  const folder = await keepPicture(installed, namespace, title);
  if (error instanceof Error) error.message += `\n    see ${folder}`;
}

/** Deletes the Environments as a person would, and waits: what cannot be destroyed is a failure, too. */
async function depart(place: Place, title: string, hasFailed: boolean): Promise<void> {
  const { installation: installed, namespace, outside } = place;
  const { client } = installed;
  try {
    const { items } = await client.listAll<Environment>(ENVIRONMENTS, { namespace });
    for (const { metadata } of items) await place.patch(metadata.name, { spec: { suspend: false } });
    for (const { metadata } of items) await client.delete(ENVIRONMENTS, namespace, metadata.name);
    await follow(client, {
      resource: ENVIRONMENTS,
      selection: { namespace },
      look: (found) => (found.length === 0 ? true : undefined),
      withinMs: (hasFailed ? 30 : farewellSeconds) * 1000 * patience,
      what: `deleting what the journey "${title}" made`,
    });
  } catch (error) {
    if (hasFailed) return;
    const folder = await keepPicture(installed, namespace, `after ${title}`);
    throw new Error(
      `${error instanceof Error ? error.message : error}\n${await describePlace(client, namespace)}\nsee ${folder}`,
    );
  } finally {
    outside.close();
    await forget(installed, namespace);
  }
}

/** Takes the namespace away, whatever still holds it: the failure has been told. */
async function forget({ client }: Installation, namespace: string): Promise<void> {
  const holding: readonly Resource[] = [ENVIRONMENTS, RUNS, PODS];
  for (const resource of holding) {
    const { items } = await client.listAll<Environment | Run | Pod | KubeObject>(resource, { namespace });
    for (const { metadata } of items) {
      if ((metadata.finalizers ?? []).length === 0) continue;
      await client.mergePatch(resource, namespace, metadata.name, { metadata: { finalizers: null } }).catch(() => {});
    }
  }
  // For a moment the API server may still know of an Environment that is gone, and then refuses.
  await awaitCondition(`namespace ${namespace} to be deletable`, 30 * patience, () =>
    client.delete(NAMESPACES, undefined, namespace).then(
      () => true as const,
      (error: unknown) => {
        if (error instanceof ApiError && error.status === 403) return error.message;
        throw error;
      },
    ),
  );
}
