import assert from "node:assert/strict";
import { leafExtensions } from "../../../tools/cluster/certificates.ts";
import { renderCommand } from "../../../tools/cluster/cluster-files.ts";
import { dnsConfig, kubeletConfig, podNetworkConfig } from "../../../tools/cluster/component-configs.ts";
import { COMPONENT_NAMES, componentArguments, describeComponents } from "../../../tools/cluster/components.ts";
import { clusterPaths, describeCluster } from "../../../tools/cluster/paths.ts";

const first = describeCluster("first", 0);
const second = describeCluster("second", 1);

describe("arguments of the components", () => {
  it("let the API server be reached at the address that the kubeconfig names", () => {
    const args = componentArguments(first, "kube-apiserver");
    assert.ok(args.includes("--bind-address=10.100.0.2"));
    assert.ok(args.includes("--secure-port=6443"));
    assert.equal(first.addresses.apiServerUrl, "https://10.100.0.2:6443");
  });

  it("have the API server record every request where the paths say", () => {
    assert.ok(componentArguments(first, "kube-apiserver").includes(`--audit-log-path=${first.paths.auditLog}`));
  });

  it("authorize nodes and people by the usual rules", () => {
    assert.ok(componentArguments(first, "kube-apiserver").includes("--authorization-mode=Node,RBAC"));
  });

  for (const name of COMPONENT_NAMES) {
    it(`${name}: nothing of one cluster leads into another`, () => {
      const text = componentArguments(second, name).join(" ");
      assert.ok(!text.includes(first.paths.directory));
      assert.ok(!text.includes("10.100."));
    });
  }

  it("give two clusters control groups of their own", () => {
    assert.notEqual(first.cgroup, second.cgroup);
    assert.equal(JSON.parse(JSON.stringify(kubeletConfig(first))).cgroupRoot, first.cgroup);
  });

  it("keep images that nobody uses now: there is no registry to get them from again", () => {
    assert.equal(JSON.parse(JSON.stringify(kubeletConfig(first))).imageGCHighThresholdPercent, 100);
  });

  it("name every program by the path that was built", () => {
    const binaries = new Map(COMPONENT_NAMES.map((name) => [name, `/cache/${name}`]));
    for (const { name, program } of describeComponents(first, binaries)) {
      assert.equal(program, name === "containerd" ? "/usr/bin/containerd" : `/cache/${name}`);
    }
    assert.throws(() => describeComponents(first, new Map()), /etcd was not built/);
  });
});

describe("settings of the components", () => {
  it("give pods addresses of the cluster's pod range", () => {
    const config = JSON.stringify(podNetworkConfig(second));
    assert.ok(config.includes('"subnet":"10.101.64.0/18","gateway":"10.101.64.1"'));
  });

  it("answer at once that names of the outside world do not exist", () => {
    assert.match(dnsConfig(first), /^\.:53 \{[\s\S]*template ANY ANY \{\s*rcode NXDOMAIN/m);
  });

  it("write a command that survives blanks and quotes", () => {
    const component = { name: "etcd", program: "/a b/etcd", args: ["--x=it's"], environment: { GOGC: "60" } } as const;
    assert.equal(renderCommand(component), "export GOGC='60'\nexec '/a b/etcd' \\\n  '--x=it'\\''s'\n");
  });

  it("certify names and addresses of servers, and none for clients", () => {
    assert.match(leafExtensions(["localhost", "10.1.2.3"]), /subjectAltName=DNS:localhost,IP:10\.1\.2\.3$/);
    assert.doesNotMatch(leafExtensions(undefined), /subjectAltName|serverAuth/);
  });
});

describe("names of clusters", () => {
  for (const name of ["terrarium", "a", "ci-2"]) {
    it(`${name} is one`, () => assert.ok(clusterPaths(name).directory.endsWith(`/${name}`)));
  }
  for (const name of ["", "..", "a/b", "-a", "A", "a_b", "x".repeat(31)]) {
    it(`${JSON.stringify(name)} is refused`, () => assert.throws(() => clusterPaths(name), /Not a name for a cluster/));
  }
});
