import { ensureBinaries } from "../cluster/binaries.ts";
import { clusterDown } from "../cluster/cluster-down.ts";
import { openPlace, placeImages } from "../demo/place.ts";

/** The environment variable in which the journeys find the name of their cluster. They install the chart themselves. */
const CLUSTER_VARIABLE = "TERRARIUM_TEST_CLUSTER";

type Progress = (text: string) => void;

/** Programs that the suites without a cluster start; building them first keeps the time out of the tests. */
export async function buildPrograms(progress: Progress): Promise<void> {
  await ensureBinaries(["etcd", "kubernetes", "helm", "opentofu", "terraform"], progress);
  await ensureBinaries(["provider-local", "provider-time", "provider-kubectl"], progress);
}

/** A cluster that holds this checkout's images; gives the environment of the tests that act on it. */
export async function setStage(name: string, progress: Progress): Promise<Readonly<Record<string, string>>> {
  const place = { type: "local", name } as const;
  progress(`starting the cluster ${name}`);
  await placeImages(place, await openPlace(place, progress), progress);
  return { [CLUSTER_VARIABLE]: name };
}

export async function strikeStage(name: string): Promise<void> {
  await clusterDown({ name, progress: "silent" });
}
