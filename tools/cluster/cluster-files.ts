import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type BinaryPaths, builtBinaries } from "./binaries.ts";
import { clusterCertificates, ensureCertificates } from "./certificates.ts";
import { AUDIT_POLICY } from "./component-arguments.ts";
import {
  containerdConfig,
  dnsConfig,
  kubeconfigOf,
  kubeletConfig,
  kubeProxyConfig,
  podNetworkConfig,
} from "./component-configs.ts";
import { type Component, describeComponents } from "./components.ts";
import { renderKubeconfig, writePrivateFile } from "./kubeconfig.ts";
import { type Cluster, clusterPaths } from "./paths.ts";

const COMPONENTS_WITH_KUBECONFIG = ["kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "coredns"];

/** Writes everything that the components read when they start. Certificates and keys that exist are kept. */
export async function writeClusterFiles(cluster: Cluster, binaries: BinaryPaths): Promise<void> {
  const { addresses, paths } = cluster;
  await mkdir(paths.directory, { recursive: true, mode: 0o755 });
  for (const folder of [paths.configDir, paths.dataDir, paths.logsDir])
    await mkdir(folder, { recursive: true, mode: 0o700 });
  const hosts = [addresses.nodeAddress, addresses.apiServiceAddress];
  await ensureCertificates(paths.pkiDir, clusterCertificates(cluster.nodeName, hosts, addresses.nodeAddress));
  for (const [name, content] of Object.entries(configFiles(cluster))) {
    const file = join(paths.configDir, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  for (const component of COMPONENTS_WITH_KUBECONFIG) {
    const content = await renderKubeconfig(component, addresses.apiServerUrl, paths.pkiDir, { certificate: component });
    await writePrivateFile(kubeconfigOf(cluster, component), content);
  }
  await writePrivateFile(paths.kubeconfig, await adminKubeconfig(cluster));
  await linkPrograms(paths.binDir, binaries);
}

export async function adminKubeconfig(cluster: Cluster): Promise<string> {
  const context = `terrarium-${cluster.name}`;
  return renderKubeconfig(context, cluster.addresses.apiServerUrl, cluster.paths.pkiDir, { certificate: "admin" });
}

function configFiles(cluster: Cluster): Record<string, string> {
  return {
    "audit-policy.json": JSON.stringify(AUDIT_POLICY, null, 2),
    "kubelet.json": JSON.stringify(kubeletConfig(cluster), null, 2),
    "kube-proxy.json": JSON.stringify(kubeProxyConfig(cluster), null, 2),
    "cni/10-pods.conflist": JSON.stringify(podNetworkConfig(cluster), null, 2),
    "containerd.toml": containerdConfig(cluster),
    Corefile: dnsConfig(cluster),
    "resolv.conf": `nameserver ${cluster.addresses.nodeAddress}\n`,
  };
}

/** What the supervisor runs for each component. */
export async function writeCommands(cluster: Cluster, binaries: BinaryPaths): Promise<void> {
  for (const component of describeComponents(cluster, binaries)) {
    await writeFile(commandFile(cluster, component), renderCommand(component));
  }
}

/** True when the components were started as this version of the tool would start them. */
export async function commandsAreCurrent(cluster: Cluster, binaries: BinaryPaths): Promise<boolean> {
  const wanted = describeComponents(cluster, binaries);
  const present = await Promise.all(wanted.map((one) => readFile(commandFile(cluster, one), "utf8").catch(() => "")));
  return wanted.every((component, index) => present[index] === renderCommand(component));
}

export function renderCommand(component: Component): string {
  const environment = Object.entries(component.environment).map(([name, value]) => `export ${name}=${quote(value)}\n`);
  const words = [component.program, ...component.args].map(quote);
  return `${environment.join("")}exec ${words.join(" \\\n  ")}\n`;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function commandFile(cluster: Cluster, component: Component): string {
  return join(cluster.paths.runDir, `${component.name}.command`);
}

async function linkPrograms(binDir: string, binaries: BinaryPaths): Promise<void> {
  const programs = new Map([...binaries, ...((await builtBinaries("helm")) ?? [])]);
  await rm(binDir, { recursive: true, force: true });
  await mkdir(binDir, { recursive: true });
  for (const [name, path] of programs) await symlink(path, join(binDir, name));
}

/** A program that was built after the cluster came up, beside those that it came up with. */
export async function linkProgram(cluster: string, name: string, path: string): Promise<void> {
  const link = join(clusterPaths(cluster).binDir, name);
  await rm(link, { force: true });
  await symlink(path, link);
}
