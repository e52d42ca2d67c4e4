/** What is built together: programs of one Go module that are needed at the same time. */
export interface BinaryGroup {
  /** The folder below `tools/cluster/go` that holds go.mod and go.sum. */
  readonly module: string;
  /** Program name → Go package. */
  readonly programs: Readonly<Record<string, string>>;
  /** Values for package variables, set by the linker: without them a program does not know its own version. */
  readonly variables: Readonly<Record<string, string>>;
}

const KUBERNETES_VERSION = "1.35.4";
const KUBERNETES_VARIABLES = {
  "k8s.io/component-base/version.gitVersion": `v${KUBERNETES_VERSION}`,
  "k8s.io/component-base/version.gitMajor": "1",
  "k8s.io/component-base/version.gitMinor": "35",
};

/** Kubernetes, CoreDNS and Helm share a module, and so most of their compiled packages. */
export const BINARY_GROUPS = {
  etcd: {
    module: "etcd",
    programs: { etcd: "go.etcd.io/etcd/server/v3" },
    variables: {},
  },
  kubernetes: {
    module: "kubernetes",
    programs: {
      "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
      "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
      "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
      kubelet: "k8s.io/kubernetes/cmd/kubelet",
      "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
      kubectl: "k8s.io/kubernetes/cmd/kubectl",
      coredns: "github.com/coredns/coredns",
    },
    variables: KUBERNETES_VARIABLES,
  },
  helm: {
    module: "kubernetes",
    programs: { helm: "helm.sh/helm/v3/cmd/helm" },
    variables: {
      "helm.sh/helm/v3/internal/version.version": "v3.20.2",
      "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor": "1",
      "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": "35",
      "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor": "1",
      "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor": "35",
    },
  },
  opentofu: {
    module: "opentofu",
    programs: { tofu: "github.com/opentofu/opentofu/cmd/tofu" },
    variables: { "github.com/opentofu/opentofu/version.dev": "no" },
  },
  terraform: {
    module: "terraform",
    programs: { terraform: "github.com/hashicorp/terraform" },
    variables: {},
  },
  "provider-time": {
    module: "provider-time",
    programs: { "terraform-provider-time": "github.com/hashicorp/terraform-provider-time" },
    variables: { "main.version": "0.14.2" },
  },
  "provider-kubectl": {
    module: "provider-kubectl",
    programs: { "terraform-provider-kubectl": "github.com/gavinbunney/terraform-provider-kubectl" },
    variables: { "main.version": "1.19.0" },
  },
  "provider-local": {
    module: "provider-local",
    programs: { "terraform-provider-local": "github.com/terraform-providers/terraform-provider-local" },
    variables: {},
  },
} as const satisfies Record<string, BinaryGroup>;

export type BinaryGroupName = keyof typeof BINARY_GROUPS;

/** What a cluster needs; the rest may be built while it starts. */
export const CLUSTER_GROUPS: readonly BinaryGroupName[] = ["etcd", "kubernetes"];

export const ALL_GROUPS = Object.keys(BINARY_GROUPS) as readonly BinaryGroupName[];

/** Arguments of `go build` for a group, except for its output folder. */
export function goBuildArguments(group: BinaryGroup): string[] {
  const variables = Object.entries(group.variables).map(([name, value]) => `-X ${name}=${value}`);
  return ["build", "-v", "-trimpath", "-ldflags", ["-s", "-w", ...variables].join(" ")];
}
