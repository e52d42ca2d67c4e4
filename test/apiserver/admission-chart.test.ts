import assert from "node:assert/strict";
import { readConfig as readOperatorConfig } from "../../operator/config.ts";
import { readConfig as readResolverConfig } from "../../operator/resolver/config.ts";
import {
  type Api,
  CHART,
  chartApi,
  helm,
  type Manifest,
  made,
  OPERATOR_NAMESPACE,
  renderedChart,
  until,
} from "./admission-server.ts";

const NAMESPACED: Readonly<Record<string, string>> = {
  Deployment: "/apis/apps/v1",
  Service: "/api/v1",
  ServiceAccount: "/api/v1",
  PodDisruptionBudget: "/apis/policy/v1",
  NetworkPolicy: "/apis/networking.k8s.io/v1",
};

const plural = (kind: string) => (kind.endsWith("y") ? `${kind.slice(0, -1)}ies` : `${kind}s`).toLowerCase();

interface Deployment extends Manifest {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly replicas: number;
    readonly template: { readonly metadata: object; readonly spec: { readonly containers: readonly Container[] } };
  };
}

interface Container {
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value?: string }[];
}

async function deployments(values: Readonly<Record<string, unknown>> = {}): Promise<readonly Deployment[]> {
  return (await renderedChart(values)).filter((manifest) => manifest.kind === "Deployment") as Deployment[];
}

const settingsOf = (deployment: Deployment | undefined) =>
  new Map(deployment?.spec.template.spec.containers[0]?.env.map(({ name, value }) => [name, value]));

describe("the chart", function () {
  this.timeout(120_000);
  let api: Api;

  before(async () => {
    api = await chartApi();
  });

  it("passes helm lint, warnings included", async () => {
    const report = await helm("lint", CHART, "--strict", "--kube-version", "1.35.0");
    assert.match(report, /1 chart\(s\) linted, 0 chart\(s\) failed/);
  });

  it("is accepted by the API server, object by object", async () => {
    for (const manifest of await renderedChart()) {
      const group = NAMESPACED[String(manifest.kind)];
      const { name } = manifest.metadata as { readonly name: string };
      if (group === undefined) continue;
      const path = `${group}/namespaces/${OPERATOR_NAMESPACE}/${plural(String(manifest.kind))}/${name}`;
      await made(api.apply(path, manifest, "helm"));
    }
  });

  it("makes pods that the restricted standard accepts", async () => {
    const restricted = {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "restricted", labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    };
    await made(api.create("/api/v1/namespaces", restricted));
    const all = await deployments();
    assert.deepEqual(all.map(({ metadata }) => metadata.name).sort(), ["terrarium-operator", "terrarium-resolver"]);
    for (const { metadata, spec } of all) {
      const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: metadata.name } };
      await made(api.create("/api/v1/namespaces/restricted/serviceaccounts", account));
      const pod = { apiVersion: "v1", kind: "Pod", ...spec.template, metadata: { name: metadata.name } };
      const answer = await until(
        () => api.create("/api/v1/namespaces/restricted/pods", pod),
        ({ message }) => !message.includes("not found"),
      );
      assert.equal(answer.status, 201, answer.message);
    }
  });

  it("hands its values to the operator as settings", async () => {
    const engines = [{ name: "terraform", version: "1.9", image: "registry.example.com/tf@sha256:ab", default: true }];
    const all = await deployments({
      engines,
      logLevel: "debug",
      "concurrency.runs": 7,
      "deletions.usual": 0,
      "concurrency.checks": 2,
      replicas: 3,
    });
    const operator = all.find(({ metadata }) => metadata.name === "terrarium-operator");
    assert.equal(operator?.spec.replicas, 3);
    const settings = settingsOf(operator);
    assert.deepEqual(JSON.parse(settings.get("TERRARIUM_ENGINES") ?? ""), engines);
    assert.equal(settings.get("TERRARIUM_LOG_LEVEL"), "debug");
    assert.equal(settings.get("TERRARIUM_MAX_RUNS"), "7");
    assert.equal(settings.get("TERRARIUM_USUAL_DELETIONS"), "0");
    assert.equal(settings.get("TERRARIUM_MAX_CHECKS"), "2");
    assert.equal(settings.get("TERRARIUM_GATEWAY_URL"), "https://terrarium-gateway.terrarium-system.svc:8443");
    assert.equal(settings.get("TERRARIUM_RESOLVER_URL"), "http://terrarium-resolver.terrarium-system.svc:8080");
  });

  it("schedules its pods as it is told", async () => {
    const wanted = {
      imagePullSecrets: [{ name: "registry" }],
      priorityClassName: "system-cluster-critical",
      nodeSelector: { "kubernetes.io/os": "linux" },
      tolerations: [{ key: "infra", operator: "Exists" }],
    };
    const annotations = { "example.com/scrape": "no" };
    for (const { spec } of await deployments({ ...wanted, podAnnotations: annotations })) {
      const { metadata, spec: pod } = spec.template;
      for (const [field, value] of Object.entries(wanted)) {
        assert.deepEqual((pod as unknown as Record<string, unknown>)[field], value);
      }
      assert.equal((metadata as { annotations: Record<string, string> }).annotations["example.com/scrape"], "no");
    }
  });

  it("sets nothing that the programs do not take", async () => {
    const all = await deployments({ "resolver.deniedRanges": ["10.96.0.0/16"] });
    const settings = all.map((deployment) => {
      const given = [...settingsOf(deployment)].map(([name, value]) => [name, value ?? "from-the-pod"]);
      return [deployment.metadata.name, Object.fromEntries(given) as Record<string, string>] as const;
    });
    for (const [name, given] of settings) {
      if (name === "terrarium-operator") readOperatorConfig(given);
      else readResolverConfig(given);
    }
  });

  it("tells the resolver which ranges to refuse", async () => {
    const ranges = {
      "resolver.deniedRanges": ["10.96.0.0/16", "fd00::/8"],
      "resolver.allowedRanges": ["10.96.7.0/24"],
    };
    const all = await deployments(ranges);
    const resolver = settingsOf(all.find(({ metadata }) => metadata.name === "terrarium-resolver"));
    assert.equal(resolver.get("TERRARIUM_RESOLVER_DENY_CIDRS"), "10.96.0.0/16,fd00::/8");
    assert.equal(resolver.get("TERRARIUM_RESOLVER_ALLOW_CIDRS"), "10.96.7.0/24");
  });

  it("leaves the resolver out when it is not wanted", async () => {
    const all = await deployments({ "resolver.enabled": false });
    assert.deepEqual(
      all.map(({ metadata }) => metadata.name),
      ["terrarium-operator"],
    );
    assert.equal(settingsOf(all[0]).has("TERRARIUM_RESOLVER_URL"), false);
  });

  it("prefers a digest to a tag", async () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const all = await deployments({ image: { repository: "registry.example.com/operator", tag: "1", digest } });
    for (const { spec } of all) {
      assert.equal(spec.template.spec.containers[0]?.image, `registry.example.com/operator@${digest}`);
    }
  });

  const wrong: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
    ["no engine", { engines: [] }],
    ["no default engine", { engines: [{ name: "opentofu", version: "1.12", image: "x" }] }],
    ["an unknown engine", { engines: [{ name: "pulumi", version: "1", image: "x", default: true }] }],
    ["a value that it does not know", { replica: 3 }],
    ["a log level that it does not know", { logLevel: "loud" }],
  ];
  for (const [what, values] of wrong) {
    it(`refuses ${what}`, () => assert.rejects(renderedChart(values), /values don't meet the specifications/));
  }

  it("has the roles for people also where they are not to be added to Kubernetes' own", async () => {
    const roles = async (aggregatedRoles: boolean) =>
      (await renderedChart({ aggregatedRoles }))
        .filter(({ kind }) => kind === "ClusterRole")
        .map((role) => role.metadata as { readonly name: string; readonly labels: Readonly<Record<string, string>> });
    const names = async (aggregated: boolean) => (await roles(aggregated)).map(({ name }) => name);
    const added = async (aggregated: boolean) =>
      (await roles(aggregated))
        .filter(({ labels }) => Object.keys(labels).some((label) => label.includes("/aggregate-to-")))
        .map(({ name }) => name);
    assert.deepEqual(await names(false), await names(true));
    assert.deepEqual((await added(true)).toSorted(), [
      "terrarium-confirm-dead",
      "terrarium-edit",
      "terrarium-state-view",
      "terrarium-view",
    ]);
    assert.deepEqual(await added(false), []);
  });

  it("keeps the definitions when it is uninstalled, and can leave them to somebody else", async () => {
    const definitions = async (install: boolean) =>
      (await renderedChart({ "crds.install": install })).filter(({ kind }) => kind === "CustomResourceDefinition");
    for (const { metadata } of await definitions(true)) {
      assert.equal(
        (metadata as { annotations: Record<string, string> }).annotations["helm.sh/resource-policy"],
        "keep",
      );
    }
    assert.equal((await definitions(true)).length, 3);
    assert.deepEqual(await definitions(false), []);
  });

  it("denies the resolver the ranges that its values name", async () => {
    const policies = await renderedChart({
      "networkPolicy.resolver.deniedRanges": ["169.254.0.0/16", "10.244.0.0/16"],
    });
    const policy = policies.find(
      ({ kind, metadata }) => kind === "NetworkPolicy" && (metadata as { name: string }).name === "terrarium-resolver",
    );
    const spec = policy?.spec as { egress: { to: { ipBlock?: { cidr: string; except: string[] } }[] }[] } | undefined;
    const blocks = (spec?.egress ?? []).flatMap(({ to }) => to).flatMap(({ ipBlock }) => (ipBlock ? [ipBlock] : []));
    assert.deepEqual(blocks[0], { cidr: "0.0.0.0/0", except: ["169.254.0.0/16", "10.244.0.0/16"] });
    assert.equal(blocks[1]?.cidr, "::/0");
  });
});
