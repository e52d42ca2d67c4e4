import type { ClusterStatus } from "./cluster-status.ts";

/** A cluster's status for people. */
export function describeStatus(status: ClusterStatus): string {
  if (!status.exists) {
    return `There is no cluster ${status.name}. Make it with: npm run cluster -- up --name ${status.name}`;
  }
  const { paths, node } = status;
  const components = status.components.map(({ name, pid, exits }) => {
    const ended = exits === 0 ? "" : `, ended ${exits} times`;
    return [name, pid === undefined ? `does not run${ended}` : `pid ${pid}${ended}`] as const;
  });
  return [
    `cluster ${status.name}: ${status.healthy ? "healthy" : "NOT healthy"}`,
    ...table([
      ["API server", `${status.url} (${status.apiServer})`],
      ["Kubernetes", status.kubernetesVersion ?? "unknown"],
      ["node", node === undefined ? "unknown" : `${node.name} ${node.ready ? "Ready" : `NotReady: ${node.message}`}`],
      ["runtime", node?.containerRuntimeVersion ?? "unknown"],
    ]),
    "",
    ...table(components),
    "",
    ...table([
      ["kubeconfig", paths.kubeconfig],
      ["programs", paths.binDir],
      ["audit log", paths.auditLog],
      ["logs", paths.logsDir],
    ]),
  ].join("\n");
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`);
}
