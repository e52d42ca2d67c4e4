import { Resolver } from "node:dns/promises";
import { type ApiConnection, applyObject } from "./api-request.ts";
import { CLUSTER_DOMAIN } from "./component-configs.ts";
import type { Cluster } from "./paths.ts";

const NAME = "kube-dns";
const READER = "system:coredns";
const LABELS = { "k8s-app": NAME, "kubernetes.io/name": "CoreDNS" };
const PORTS = [
  { name: "dns", port: 53, protocol: "UDP" },
  { name: "dns-tcp", port: 53, protocol: "TCP" },
];

/** Gives pods the name server: it is a process of the node, so its Service has no selector and its endpoint is written here. */
export async function publishDns(cluster: Cluster, connection: ApiConnection): Promise<void> {
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  await applyObject(connection, `${rbac}/clusterroles/${READER}`, readerRole());
  await applyObject(connection, `${rbac}/clusterrolebindings/${READER}`, readerBinding());
  await applyObject(connection, `/api/v1/namespaces/kube-system/services/${NAME}`, dnsService(cluster));
  await applyObject(
    connection,
    `/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/${NAME}`,
    dnsEndpoint(cluster),
  );
}

/** Asks the name server the way pods do, so through its Service. */
export async function dnsAnswers(cluster: Cluster): Promise<true | string> {
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([cluster.addresses.dnsServiceAddress]);
  try {
    const [address] = await resolver.resolve4(`kubernetes.default.svc.${CLUSTER_DOMAIN}`);
    return address === cluster.addresses.apiServiceAddress || `it says ${address} for the API server`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function readerRole(): object {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: READER },
    rules: [
      { apiGroups: [""], resources: ["services", "pods", "namespaces"], verbs: ["list", "watch"] },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
    ],
  };
}

function readerBinding(): object {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: READER },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: READER },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: READER }],
  };
}

function dnsService(cluster: Cluster): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: NAME, namespace: "kube-system", labels: LABELS },
    spec: { clusterIP: cluster.addresses.dnsServiceAddress, ports: PORTS },
  };
}

function dnsEndpoint(cluster: Cluster): object {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: NAME, namespace: "kube-system", labels: { ...LABELS, "kubernetes.io/service-name": NAME } },
    addressType: "IPv4",
    endpoints: [{ addresses: [cluster.addresses.nodeAddress], conditions: { ready: true } }],
    ports: PORTS,
  };
}
