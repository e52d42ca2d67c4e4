import assert from "node:assert/strict";
import type { ClusterStatus } from "../../../tools/cluster/cluster-status.ts";
import { fullName, importedNames, parseImages, withoutTag } from "../../../tools/cluster/images.ts";
import { clusterPaths } from "../../../tools/cluster/paths.ts";
import { identify, innerPid, isAlive } from "../../../tools/cluster/processes.ts";
import { describeStatus } from "../../../tools/cluster/status-text.ts";

describe("names of images", () => {
  const names: readonly (readonly [string, string])[] = [
    ["busy:1", "docker.io/library/busy:1"],
    ["me/busy:1", "docker.io/me/busy:1"],
    ["localhost/busy:1", "localhost/busy:1"],
    ["registry.example.com/busy:1", "registry.example.com/busy:1"],
    ["host:5000/busy:1", "host:5000/busy:1"],
  ];
  for (const [short, full] of names) {
    it(`${short} means ${full} to the kubelet`, () => assert.equal(fullName(short), full));
  }

  const tagged: readonly (readonly [string, string])[] = [
    ["localhost/busy:1", "localhost/busy"],
    ["localhost/busy", "localhost/busy"],
    ["host:5000/a/busy", "host:5000/a/busy"],
    ["host:5000/a/busy:1", "host:5000/a/busy"],
    ["localhost/busy@sha256:abc", "localhost/busy"],
  ];
  for (const [name, bare] of tagged) {
    it(`${name} without its tag is ${bare}`, () => assert.equal(withoutTag(name), bare));
  }

  it("are read from what the container runtime prints", () => {
    const output = "unpacking localhost/a:1 (sha256:11)...done\nunpacking localhost/a:1 (sha256:11)...done\nother\n";
    assert.deepEqual(importedNames(output), ["localhost/a:1"]);
    const listing = "REF TYPE DIGEST SIZE\nlocalhost/a:1 application/x sha256:11 4.0 MiB linux/amd64 -\n";
    assert.deepEqual([...parseImages(listing)], [["localhost/a:1", "sha256:11"]]);
  });
});

describe("a process that was started earlier", () => {
  it("is recognised while it lives", async () => {
    const self = await identify(process.pid);
    assert.ok(self);
    assert.equal(await isAlive(self), true);
  });

  it("is not mistaken for another one that has its number now", async () => {
    const self = await identify(process.pid);
    assert.ok(self);
    assert.equal(await isAlive({ ...self, startTicks: "1" }), false);
  });

  it("is gone after a reboot", async () => {
    const self = await identify(process.pid);
    assert.ok(self);
    assert.equal(await isAlive({ ...self, bootId: "an earlier one" }), false);
  });

  it("has its number of the innermost namespace last", () => {
    assert.equal(innerPid("Name:\tx\nNSpid:\t4711\t12\nNSsid:\t1\n"), 12);
    assert.equal(innerPid("Name:\tx\n"), undefined);
  });
});

describe("the status that people read", () => {
  const status: ClusterStatus = {
    name: "c",
    exists: true,
    healthy: false,
    url: "https://10.100.0.2:6443",
    apiServer: "ready",
    node: {
      name: "terrarium-c",
      ready: false,
      message: "no network",
      kubeletVersion: "v1",
      containerRuntimeVersion: "containerd://1",
    },
    components: [
      { name: "etcd", pid: 7, exits: 0, log: "/l" },
      { name: "kubelet", pid: undefined, exits: 3, log: "/l" },
    ],
    paths: clusterPaths("c"),
  };

  it("says what is wrong, and where to look", () => {
    const text = describeStatus(status);
    assert.match(text, /NOT healthy/);
    assert.match(text, /NotReady: no network/);
    assert.match(text, /kubelet +does not run, ended 3 times/);
    assert.ok(text.includes(status.paths.auditLog));
  });

  it("says how to make a cluster that does not exist", () => {
    const text = describeStatus({ name: "c", exists: false, healthy: false, components: [], paths: clusterPaths("c") });
    assert.match(text, /npm run cluster -- up --name c/);
  });
});
