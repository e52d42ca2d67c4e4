import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkout } from "../bundle.ts";
import { ensureBinaries } from "../cluster/binaries.ts";
import { clusterDown } from "../cluster/cluster-down.ts";
import { withLock } from "../cluster/lock.ts";
import { clusterPaths, lockFile } from "../cluster/paths.ts";
import type { Kubectl } from "../demo/kubectl.ts";
import { chartValues, installOperator } from "../demo/operator.ts";
import { openPlace, type PlacedImages, placeImages } from "../demo/place.ts";
import { startGitServer } from "../demo/shop.ts";
import { contentKey } from "../images/cache.ts";

type Progress = (text: string) => void;

/** Programs that the suites without a cluster start; building them first keeps the time out of the tests. */
export async function buildPrograms(progress: Progress): Promise<void> {
  await ensureBinaries(["etcd", "kubernetes", "helm", "opentofu", "terraform"], progress);
  await ensureBinaries(["provider-local", "provider-time", "provider-kubectl"], progress);
}

/** A cluster with this checkout's Terrarium in it; gives the environment in which the journeys take it as it is. */
export async function setStage(name: string, progress: Progress): Promise<Readonly<Record<string, string>>> {
  progress(`starting the cluster ${name}`);
  await installJourneys(name, "current", progress);
  return { TERRARIUM_TEST_CLUSTER: name, TERRARIUM_TEST_INSTALL: "keep" };
}

export async function strikeStage(name: string): Promise<void> {
  await clusterDown({ name, progress: "silent" });
}

/** The cluster of the journeys, once for however many processes ask. `current`: with what this checkout holds; `asItIs`: with what it has. */
export function installJourneys(name: string, wanted: "current" | "asItIs", progress: Progress): Promise<Kubectl> {
  const place = { type: "local", name } as const;
  return withLock(
    lockFile(`journeys-${name}`),
    () => progress("another process prepares the journeys: waiting for it"),
    async () => {
      const kubectl = await openPlace(place, progress);
      if (wanted === "current")
        await bringUpToDate(name, kubectl, await placeImages(place, kubectl, progress), progress);
      return kubectl;
    },
  );
}

async function bringUpToDate(name: string, kubectl: Kubectl, images: PlacedImages, progress: Progress): Promise<void> {
  const stamp = join(clusterPaths(name).directory, "journeys-installed");
  // Journeys delete what they made by the dozen, and mean it.
  const values = chartValues(images, { deletions: { usual: 0 } });
  const parts = [JSON.stringify(values), images.gitserver];
  for (const folder of ["charts/terrarium", "tools/gitserver"]) parts.push(await contentKey(join(checkout, folder)));
  const wanted = createHash("sha256").update(parts.join("\n")).digest("hex");
  if ((await readFile(stamp, "utf8").catch(() => "")) === wanted) return;
  progress("installing Terrarium and the git server");
  await Promise.all([installOperator(kubectl, values), startGitServer(kubectl, images.gitserver)]);
  await writeFile(stamp, wanted);
}
