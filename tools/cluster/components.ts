import { join } from "node:path";
import type { BinaryPaths } from "./binaries.ts";
import {
  apiServerArguments,
  controllerManagerArguments,
  etcdArguments,
  schedulerArguments,
} from "./component-arguments.ts";
import { kubeconfigOf } from "./component-configs.ts";
import type { Cluster } from "./paths.ts";

/** A program that runs as long as its cluster does. */
export interface Component {
  readonly name: ComponentName;
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export const COMPONENT_NAMES = [
  "etcd",
  "containerd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "coredns",
] as const;

export type ComponentName = (typeof COMPONENT_NAMES)[number];

/** The parts that the others wait for. */
export const FOUNDATION: readonly ComponentName[] = ["etcd", "containerd", "kube-apiserver"];

const ETCD_CLIENT = "http://127.0.0.1:2379";
const ETCD_PEER = "http://127.0.0.1:2380";

export function describeComponents(cluster: Cluster, binaries: BinaryPaths): Component[] {
  return COMPONENT_NAMES.map((name) => ({
    name,
    program: name === "containerd" ? "/usr/bin/containerd" : binaryPath(binaries, name),
    args: componentArguments(cluster, name),
    environment: environmentOf(name),
  }));
}

export function componentArguments(cluster: Cluster, name: ComponentName): string[] {
  const { addresses, paths } = cluster;
  const config = (file: string) => join(paths.configDir, file);
  switch (name) {
    case "etcd":
      return etcdArguments({ dataDir: join(paths.dataDir, "etcd"), clientUrl: ETCD_CLIENT, peerUrl: ETCD_PEER });
    case "containerd":
      return ["--config", config("containerd.toml")];
    case "kube-apiserver":
      return apiServerArguments({
        etcdUrl: ETCD_CLIENT,
        address: addresses.nodeAddress,
        port: addresses.apiServerPort,
        serviceRange: addresses.serviceRange,
        pkiDir: paths.pkiDir,
        auditPolicy: config("audit-policy.json"),
        auditLog: paths.auditLog,
      });
    case "kube-controller-manager":
      return controllerManagerArguments({
        kubeconfig: kubeconfigOf(cluster, name),
        pkiDir: paths.pkiDir,
        port: 10257,
        volumePluginDir: join(paths.dataDir, "volume-plugins"),
      });
    case "kube-scheduler":
      return schedulerArguments(kubeconfigOf(cluster, name), 10259);
    case "kubelet":
      return [
        `--config=${config("kubelet.json")}`,
        `--kubeconfig=${kubeconfigOf(cluster, name)}`,
        `--hostname-override=${cluster.nodeName}`,
        `--node-ip=${addresses.nodeAddress}`,
      ];
    case "kube-proxy":
      return [`--config=${config("kube-proxy.json")}`, `--hostname-override=${cluster.nodeName}`];
    case "coredns":
      return ["-conf", config("Corefile")];
  }
}

function environmentOf(name: ComponentName): Record<string, string> {
  // The API server keeps little that is worth its memory: collect garbage earlier than Go would.
  if (name === "kube-apiserver" || name === "etcd") return { GOGC: "60" };
  return {};
}

function binaryPath(binaries: BinaryPaths, name: string): string {
  const path = binaries.get(name);
  if (path === undefined) throw new Error(`${name} was not built`);
  return path;
}
