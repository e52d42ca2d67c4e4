/** Where the demo happens: a cluster to talk to, with the images of this checkout in its reach. */
import { basename, isAbsolute } from "node:path";
import { ensureBinaries } from "../cluster/binaries.ts";
import { linkProgram } from "../cluster/cluster-files.ts";
import { clusterUp } from "../cluster/cluster-up.ts";
import { succeeds } from "../cluster/command.ts";
import { loadImage } from "../cluster/images.ts";
import { clusterPaths } from "../cluster/paths.ts";
import { type BuiltImage, type BuiltImages, buildImages } from "../images/build.ts";
import { Buildah } from "../images/buildah.ts";
import { imageCache } from "../images/cache.ts";
import { Kubectl } from "./kubectl.ts";
import type { Place } from "./options.ts";

type Progress = (text: string) => void;

/** How pods of the cluster name the images: by digest. */
export interface PlacedImages {
  readonly operator: { readonly repository: string; readonly digest: string };
  readonly gitserver: string;
  readonly runners: readonly { readonly name: string; readonly version: string; readonly image: string }[];
}

/** A cluster that answers. */
export async function openPlace(place: Place, progress: Progress): Promise<Kubectl> {
  if (place.type === "own") return openOwn(place.context, progress);
  const { kubeconfig } = await clusterUp({ name: place.name });
  const { kubectl, helm } = await programs(progress);
  // One that the shell finds by its name is not linked: it may be this very link.
  if (isAbsolute(helm)) await linkProgram(place.name, "helm", helm);
  const kubectlFlags = ["--kubeconfig", kubeconfig];
  return new Kubectl({ kubectlPath: kubectl, helmPath: helm, kubectlFlags, helmFlags: kubectlFlags });
}

/** Builds the images and brings them there. */
export async function placeImages(place: Place, kubectl: Kubectl, progress: Progress): Promise<PlacedImages> {
  const images = await buildImages({ engines: ["opentofu", "terraform"], progress });
  const put = place.type === "local" ? await loader(place.name, kubectl, progress) : pusher(place.registry, progress);
  return placed(images, put);
}

/** What a person types before `kubectl` works as in the demo. */
export function environmentFor(place: Place): string {
  if (place.type === "own") return `kubectl config use-context ${place.context}`;
  const { kubeconfig, binDir } = clusterPaths(place.name);
  return `export KUBECONFIG=${kubeconfig} PATH=${binDir}:$PATH`;
}

async function openOwn(context: string, progress: Progress): Promise<Kubectl> {
  const { kubectl, helm } = await programs(progress);
  const place = new Kubectl({
    kubectlPath: kubectl,
    helmPath: helm,
    kubectlFlags: ["--context", context],
    helmFlags: ["--kube-context", context],
  });
  await place.run(["get", "--raw", "/readyz"]).catch((error: Error) => {
    throw new Error(
      `the cluster of context ${context} does not answer; try: kubectl --context ${context} get nodes\n${error.message}`,
    );
  });
  return place;
}

/** Those of the machine where it has them, else built from source. */
async function programs(progress: Progress): Promise<{ kubectl: string; helm: string }> {
  const find = async (name: "kubectl" | "helm", group: "kubernetes" | "helm") => {
    if (await succeeds(name, name === "helm" ? ["version"] : ["version", "--client"])) return name;
    return (await ensureBinaries([group], progress)).get(name) ?? name;
  };
  return { kubectl: await find("kubectl", "kubernetes"), helm: await find("helm", "helm") };
}

type Put = (image: BuiltImage) => Promise<string>;

async function placed(images: BuiltImages, put: Put): Promise<PlacedImages> {
  const [repository = "", digest = ""] = (await put(images.operator)).split("@");
  const runners = [];
  for (const runner of images.runners) {
    runners.push({ name: runner.engine, version: runner.version, image: await put(runner) });
  }
  return { operator: { repository, digest }, gitserver: await put(images.gitserver), runners };
}

/** Loads an image unless the node says that it has these very bytes. */
async function loader(cluster: string, kubectl: Kubectl, progress: Progress): Promise<Put> {
  const known = await kubectl.run(["get", "nodes", "-o", "jsonpath={.items[*].status.images[*].names[*]}"]);
  const present = new Set(known.split(/[\s",[\]]+/));
  return async ({ name, archive, digest }) => {
    const reference = `${name.replace(/:[^/:]*$/, "")}@${digest}`;
    if (present.has(reference)) return reference;
    progress(`loading ${basename(archive)}`);
    const loaded = await loadImage(archive, cluster);
    return loaded.find((image) => image.name === name)?.digestReference ?? reference;
  };
}

function pusher(registry: string, progress: Progress): Put {
  const buildah = new Buildah(imageCache());
  return async ({ name, archive }) => {
    const destination = `${registry}/${name.slice(name.lastIndexOf("/") + 1)}`;
    progress(`pushing ${destination}`);
    const digest = await buildah.pushArchive(archive, destination).catch((error: Error) => {
      const host = registry.split("/")[0];
      throw new Error(
        `could not push to ${registry}; is \`buildah login ${host}\` done, and may you write there?\n${error.message}`,
      );
    });
    return `${destination.replace(/:[^/:]*$/, "")}@${digest}`;
  };
}
