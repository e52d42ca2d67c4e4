import { join } from "node:path";
import type { Cluster } from "./paths.ts";

/** What names of pods and services end in. */
export const CLUSTER_DOMAIN = "cluster.local";
export const PAUSE_IMAGE = "localhost/terrarium-pause:1";

export function kubeletConfig(cluster: Cluster): object {
  const { addresses, paths } = cluster;
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: addresses.nodeAddress,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(paths.pkiDir, "ca.crt") },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: join(paths.pkiDir, "kubelet-server.crt"),
    tlsPrivateKeyFile: join(paths.pkiDir, "kubelet-server.key"),
    clusterDNS: [addresses.dnsServiceAddress],
    clusterDomain: CLUSTER_DOMAIN,
    resolvConf: join(paths.configDir, "resolv.conf"),
    containerRuntimeEndpoint: `unix://${paths.containerdSocket}`,
    cgroupDriver: "cgroupfs",
    cgroupRoot: cluster.cgroup,
    failCgroupV1: false,
    failSwapOn: false,
    featureGates: { ContainerRestartRules: true },
    // The disk belongs to the whole machine: a nearly full one must neither evict pods nor delete loaded images,
    // for there is no registry that they could come from again.
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    volumePluginDir: "/var/lib/kubelet/volume-plugins",
    maxPods: 250,
    podPidsLimit: 4096,
    serializeImagePulls: false,
    // Client-side limits that are meant for nodes of large clusters only slow down a single one.
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
    registryPullQPS: 0,
    eventRecordQPS: 0,
    shutdownGracePeriod: "0s",
  };
}

export function kubeProxyConfig(cluster: Cluster): object {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "nftables",
    bindAddress: cluster.addresses.nodeAddress,
    healthzBindAddress: "127.0.0.1:10256",
    metricsBindAddress: "127.0.0.1:10249",
    clusterCIDR: cluster.addresses.podRange,
    clientConnection: { kubeconfig: kubeconfigOf(cluster, "kube-proxy") },
    // The machine's table of connections is not the cluster's to resize.
    conntrack: { maxPerCore: 0 },
    // Endpoints change all the time where pods live for seconds.
    nftables: { minSyncPeriod: "100ms", syncPeriod: "30s" },
  };
}

/** Pods reach each other through the node, never directly, so that answers of a service pass its address translation. */
export function podNetworkConfig(cluster: Cluster): object {
  return {
    cniVersion: "0.4.0",
    name: "pods",
    plugins: [
      {
        type: "ptp",
        ipMasq: false,
        mtu: 1500,
        ipam: {
          type: "host-local",
          dataDir: "/run/cni-addresses",
          ranges: [[{ subnet: cluster.addresses.podRange, gateway: cluster.addresses.podGateway }]],
          routes: [{ dst: "0.0.0.0/0" }],
        },
      },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
}

export function containerdConfig(cluster: Cluster): string {
  return `version = 2
root = "${join(cluster.paths.dataDir, "containerd")}"
state = "/run/containerd"
oom_score = 0
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]

[grpc]
  address = "${cluster.paths.containerdSocket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  # A process in a container on this machine may itself not be allowed to lower the score.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = false

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${join(cluster.paths.configDir, "cni")}"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`;
}

/** Names of the cluster are answered; names of the outside world do not exist, which is said at once. */
export function dnsConfig(cluster: Cluster): string {
  const { nodeAddress } = cluster.addresses;
  return `${CLUSTER_DOMAIN}:53 in-addr.arpa:53 ip6.arpa:53 {
  bind ${nodeAddress}
  errors
  kubernetes ${CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {
    kubeconfig ${kubeconfigOf(cluster, "coredns")}
    pods insecure
    ttl 1
  }
}
.:53 {
  bind ${nodeAddress}
  errors
  ready 127.0.0.1:8181
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`;
}

export function kubeconfigOf(cluster: Cluster, component: string): string {
  return join(cluster.paths.configDir, `${component}.kubeconfig`);
}
