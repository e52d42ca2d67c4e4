import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { RunInputs } from "../../../operator/api/run.ts";
import type { Container, Pod } from "../../../operator/cluster/kinds.ts";
import { inputVolumes } from "../../../operator/run/input-volumes.ts";
import { podFor, podName } from "../../../operator/run/pod.ts";
import { aRun } from "../../fakes/objects.ts";
import { runInputs, runSpec } from "./observations.ts";

const settings = { gatewayUrl: "https://gateway.terrarium.svc:8443", gatewayCa: "PEM", order: "signed" };

const everything: Partial<RunInputs> = {
  source: { git: { url: "https://git.example.com/a.git", interval: "5m", secretRef: { name: "git-login" } } },
  variables: [
    { name: "region", value: "eu-west-1" },
    { name: "password", valueFrom: { secretKeyRef: { name: "shop", key: "db" } } },
    { name: "user", valueFrom: { secretKeyRef: { name: "shop", key: "user" } } },
    { name: "sizes", valueFrom: { configMapKeyRef: { name: "sizes", key: "small" } } },
  ],
  credentials: [
    { name: "aws", secretRef: { name: "aws" }, as: "Env", phases: ["Plan", "Apply"], keepForDestroy: false },
  ],
  runner: {
    serviceAccountName: "deployer",
    resources: { requests: { memory: "512Mi" }, limits: { memory: "2Gi" } },
    nodeSelector: { disk: "fast" },
    tolerations: [{ key: "spot", operator: "Exists" }],
    imagePullSecrets: [{ name: "registry" }],
    caBundle: { configMapKeyRef: { name: "ca", key: "ca.crt" } },
  },
};

const madeFrom = (inputs: Partial<RunInputs> = {}): Pod =>
  podFor(aRun(runSpec({ inputs: runInputs(inputs) })), "Plan", settings);
const container = (pod: Pod, name: string): Container => {
  const found = pod.spec?.containers.find((one) => one.name === name);
  assert.ok(found, name);
  return found;
};
const mounts = (one: Container): readonly string[] => (one.volumeMounts ?? []).map(({ name }) => name);

describe("The manifest of a runner pod", () => {
  it("is the same for the same Run, and another for another phase", () => {
    assert.deepEqual(madeFrom(everything), madeFrom(everything));
    const run = aRun(runSpec());
    assert.equal(podName(run, "Plan"), `${run.metadata.name}-p`);
    assert.equal(podName(run, "Apply"), `${run.metadata.name}-a`);
  });

  it("is what it was when people last looked at it", () => {
    const file = new URL("golden/pod.json", import.meta.url);
    const golden = JSON.parse(readFileSync(file, "utf8"));
    assert.deepEqual(JSON.parse(JSON.stringify(madeFrom(everything))), golden);
  });

  it("fits the Pod Security Standard `restricted`", () => {
    const { spec } = madeFrom(everything);
    assert.equal(spec?.securityContext?.runAsNonRoot, true);
    assert.equal(spec?.securityContext?.seccompProfile?.type, "RuntimeDefault");
    assert.deepEqual([spec?.hostNetwork, spec?.hostPID, spec?.hostIPC], [undefined, undefined, undefined]);
    for (const { securityContext, ports } of spec?.containers ?? []) {
      assert.equal(securityContext?.allowPrivilegeEscalation, false);
      assert.equal(securityContext?.readOnlyRootFilesystem, true);
      assert.deepEqual(securityContext?.capabilities, { drop: ["ALL"] });
      assert.ok((securityContext?.runAsUser ?? 0) > 0);
      assert.equal(ports, undefined);
    }
    const allowed = new Set(["configMap", "emptyDir", "projected", "secret"]);
    for (const { name, ...source } of spec?.volumes ?? [])
      for (const kind of Object.keys(source)) assert.ok(allowed.has(kind), `${name}: ${kind}`);
  });

  it("gives its two programs different users", () => {
    const pod = madeFrom();
    assert.notEqual(
      container(pod, "agent").securityContext?.runAsUser,
      container(pod, "engine").securityContext?.runAsUser,
    );
  });

  it("gives the token to the agent alone, and no other one to anybody", () => {
    const pod = madeFrom(everything);
    assert.equal(pod.spec?.automountServiceAccountToken, false);
    const tokens = (pod.spec?.volumes ?? []).filter(({ projected }) => projected !== undefined).map(({ name }) => name);
    assert.deepEqual(tokens, ["gateway"]);
    assert.ok(mounts(container(pod, "agent")).includes("gateway"));
    assert.ok(!mounts(container(pod, "engine")).includes("gateway"));
  });

  it("shows the tenant's Secrets and ConfigMaps to the agent alone", () => {
    const pod = madeFrom(everything);
    const inputs = inputVolumes(runInputs(everything)).map(({ volume }) => volume.name);
    assert.equal(inputs.length, 4);
    for (const name of inputs) {
      assert.ok(mounts(container(pod, "agent")).includes(name));
      assert.ok(!mounts(container(pod, "engine")).includes(name));
    }
  });

  it("waits for no Secret and no ConfigMap: the agent says what is missing", () => {
    for (const { name, secret, configMap } of madeFrom(everything).spec?.volumes ?? []) {
      if (secret !== undefined) assert.equal(secret.optional, true, name);
      if (configMap !== undefined) assert.equal(configMap.optional, true, name);
    }
  });

  it("holds no value of a variable", () => {
    const text = JSON.stringify(
      madeFrom({
        variables: [
          { name: "password", value: "canary-value" },
          { name: "map", value: { deep: "canary-value" } },
        ],
      }),
    );
    assert.ok(!text.includes("canary-value"));
    for (const { env } of madeFrom(everything).spec?.containers ?? [])
      for (const { valueFrom } of env ?? []) assert.equal(valueFrom, undefined);
  });

  it("leaves the engine at least ten minutes to end, and limits no disk, whose eviction leaves one second", () => {
    const { spec } = madeFrom(everything);
    assert.ok((spec?.terminationGracePeriodSeconds ?? 0) >= 600);
    for (const { name, emptyDir } of spec?.volumes ?? []) assert.equal(emptyDir?.sizeLimit, undefined, name);
    for (const { name, resources } of spec?.containers ?? [])
      assert.ok(!Object.keys(resources?.limits ?? {}).includes("ephemeral-storage"), name);
  });

  it("never starts again by itself, and stays until its end was seen", () => {
    const pod = madeFrom();
    assert.equal(pod.spec?.restartPolicy, "Never");
    assert.equal(container(pod, "engine").restartPolicy, undefined);
    assert.deepEqual(pod.metadata.finalizers, ["terrarium.dev/run-pod"]);
    assert.equal(pod.metadata.annotations?.["cluster-autoscaler.kubernetes.io/safe-to-evict"], "false");
    assert.equal(pod.metadata.annotations?.[ANNOTATIONS.order], "signed");
    assert.equal(pod.metadata.ownerReferences?.[0]?.uid, "network-4");
  });

  it("leaves what the engine gives away read-only to the agent, and the other way round", () => {
    const pod = madeFrom();
    const readOnly = (name: string, volume: string) =>
      container(pod, name).volumeMounts?.find((mount) => mount.name === volume)?.readOnly ?? false;
    assert.deepEqual([readOnly("agent", "out"), readOnly("engine", "out")], [true, false]);
    assert.deepEqual([readOnly("agent", "in"), readOnly("engine", "in")], [false, true]);
    assert.deepEqual([readOnly("agent", "secrets"), readOnly("engine", "secrets")], [false, true]);
  });
});

describe("The inputs of a pod", () => {
  it("are one volume for each object, however often it is named, in an order that does not depend on the spec's", () => {
    const names = (inputs: RunInputs) =>
      inputVolumes(inputs).map(({ volume }) => volume.secret?.secretName ?? volume.configMap?.name);
    const inputs = runInputs(everything);
    assert.deepEqual(names(inputs), ["aws", "git-login", "shop", "sizes"]);
    assert.deepEqual(names({ ...inputs, variables: inputs.variables.toReversed() }), names(inputs));
  });

  it("are mounted read-only, under the name of the object", () => {
    for (const { volume, mount } of inputVolumes(runInputs(everything))) {
      assert.equal(mount.readOnly, true);
      assert.equal(mount.name, volume.name);
      assert.ok(mount.mountPath.endsWith(`/${volume.secret?.secretName ?? volume.configMap?.name}`));
    }
  });

  it("are none where none is named, and a ConfigMap that is the source counts", () => {
    assert.deepEqual(inputVolumes(runInputs()), []);
    const [only] = inputVolumes(runInputs({ source: { configMap: { name: "modules" } } }));
    assert.equal(only?.volume.configMap?.name, "modules");
  });
});
