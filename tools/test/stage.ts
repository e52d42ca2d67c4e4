import { ensureBinaries } from "../cluster/binaries.ts";
import { clusterDown } from "../cluster/cluster-down.ts";
import { clusterPaths } from "../cluster/paths.ts";
import { installOperator } from "../demo/operator.ts";
import { openPlace, placeImages } from "../demo/place.ts";

/** Environment variables that the journeys read. */
export const STAGE_VARIABLES = {
  /** Name of the local cluster. */
  cluster: "TERRARIUM_TEST_CLUSTER",
  /** The images of this checkout as pods of the cluster name them: `PlacedImages` as JSON. */
  images: "TERRARIUM_TEST_IMAGES",
} as const;

type Progress = (text: string) => void;

/** Programs that the suites without a cluster start; building them first keeps the time out of the tests. */
export async function buildPrograms(progress: Progress): Promise<void> {
  await ensureBinaries(["etcd", "kubernetes", "helm", "opentofu", "terraform"], progress);
  await ensureBinaries(["provider-local", "provider-time", "provider-kubectl"], progress);
}

/** A cluster with this checkout's operator in it; gives the environment of the tests that act on it. */
export async function setStage(name: string, progress: Progress): Promise<Readonly<Record<string, string>>> {
  const place = { type: "local", name } as const;
  progress(`starting the cluster ${name}`);
  const kubectl = await openPlace(place, progress);
  const images = await placeImages(place, kubectl, progress);
  progress("installing the operator");
  await installOperator(kubectl, images);
  const { kubeconfig, binDir } = clusterPaths(name);
  return {
    KUBECONFIG: kubeconfig,
    PATH: `${binDir}:${process.env.PATH ?? ""}`,
    [STAGE_VARIABLES.cluster]: name,
    [STAGE_VARIABLES.images]: JSON.stringify(images),
  };
}

export async function strikeStage(name: string): Promise<void> {
  await clusterDown({ name, progress: "silent" });
}
