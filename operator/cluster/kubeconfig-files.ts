import { readFileSync } from "node:fs";
import { delimiter } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";

/**
 * Several files are one, and what is said first counts, as with kubectl
 * (https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files); client-node lets the current
 * context that is said last count, which is another cluster. `list` is as in $KUBECONFIG.
 */
export const readKubeConfigs = (list: string): KubeConfig =>
  merged(list.split(delimiter).filter(saysSomething).map(readKubeConfig));

export function readKubeConfig(file: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(file);
  return config;
}

/** A file of the list may be missing or empty. */
function saysSomething(file: string): boolean {
  if (file === "") return false;
  try {
    return readFileSync(file, "utf8").trim() !== "";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

function merged(configs: readonly KubeConfig[]): KubeConfig {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: firstOfEachName(configs.flatMap(({ clusters }) => clusters)),
    users: firstOfEachName(configs.flatMap(({ users }) => users)),
    contexts: firstOfEachName(configs.flatMap(({ contexts }) => contexts)),
    currentContext: configs.map(({ currentContext }) => currentContext).find(Boolean),
  });
  return config;
}

const firstOfEachName = <T extends { readonly name: string }>(entries: readonly T[]): readonly T[] =>
  entries.filter(({ name }, at) => entries.findIndex((entry) => entry.name === name) === at);
