import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { ANNOTATIONS, GATEWAY_AUDIENCE, LABELS } from "../../operator/api/names.ts";
import type { Run } from "../../operator/api/run.ts";
import { createClient } from "../../operator/cluster/client.ts";
import type { Pod } from "../../operator/cluster/kinds.ts";
import type { Client, KubeObject, Stored } from "../../operator/cluster/ports.ts";
import { CUSTOM_RESOURCE_DEFINITIONS, PODS, RUNS } from "../../operator/cluster/resources.ts";
import { type Gateway, startGateway } from "../../operator/gateway/gateway.ts";
import { signOrder } from "../../operator/gateway/order.ts";
import { GATEWAY_FIELD_MANAGER } from "../../operator/gateway/run-status.ts";
import { systemClock } from "../../operator/loop/clock.ts";
import { createKeyRing, type KeyRing, newKeyMaterial } from "../../operator/storage/key-ring.ts";
import { createSecretStore } from "../../operator/storage/secret-store.ts";
import { NAMESPACE, sendTo, specOf } from "../unit/gateway/gateway-world.ts";
import { aState } from "../unit/storage/claimants.ts";
import { engineServer, makeNamespace, until } from "./engine-server.ts";

const namespace = "terrarium-gateway";
const SERVICE_ACCOUNTS = {
  group: "",
  version: "v1",
  plural: "serviceaccounts",
  kind: "ServiceAccount",
  namespaced: true,
};

describe("the gateway on a real API server", function () {
  this.timeout(60_000);
  let client: Client;
  let ring: KeyRing;
  let gateway: Gateway;
  let run: Stored<Run>;

  before(async () => {
    const { transport, client: admin } = await engineServer();
    client = admin;
    for (const name of [namespace, NAMESPACE]) await makeNamespace(client, name);
    await client.apply(SERVICE_ACCOUNTS, { metadata: { name: "default", namespace: NAMESPACE } });
    await installRuns(client);
    ring = createKeyRing(newKeyMaterial());
    gateway = await startGateway({
      client: createClient(transport, { fieldManager: GATEWAY_FIELD_MANAGER }),
      store: createSecretStore({ client, namespace, ring }),
      ring,
      namespace,
      hosts: ["127.0.0.1"],
      listen: { host: "127.0.0.1", port: 0 },
      digestOfApplied: () => "",
      clock: systemClock,
      log: { info: () => {}, error: (facts, message) => assert.fail(`${message} ${JSON.stringify(facts)}`) },
    });
    const name = `shop-network-${randomUUID().slice(0, 8)}`;
    const made: Run = {
      apiVersion: "terrarium.dev/v1alpha1",
      kind: "Run",
      metadata: { name, namespace: NAMESPACE } as Run["metadata"],
      spec: specOf("network", 1),
    };
    run = await client.create(RUNS, made);
  });
  after(() => gateway.close());

  it("takes the token of the pod that the operator made, and writes a status that the definition accepts", async () => {
    const pod = await aPod(client, ring, run);
    const request = { run: run.metadata.name, namespace: NAMESPACE, phase: "Plan" };
    const claimed = await sendTo(gateway, "POST", "/v1/claim", await tokenFor(pod), request);
    assert.equal(claimed.status, 200, claimed.bytes.toString());
    const ask = async (method: string, path: string, body?: Buffer | object) => {
      const reply = await sendTo(gateway, method, path, String(claimed.json.session), body);
      assert.ok(reply.status < 300, `${method} ${path}: ${reply.bytes}`);
    };
    await ask("POST", "/v1/progress", { step: "plan", done: 1, total: 2, current: "terraform_data.vpc" });
    await ask("PUT", "/v1/archive", Buffer.from("archive"));
    await ask("POST", "/v1/plan", {
      digest: "sha256:plan",
      counts: { create: 1, update: 0, replace: 0, delete: 0 },
      empty: false,
      resources: [{ address: "terraform_data.vpc", action: "create" }],
      truncated: false,
      drifted: 0,
      inputsDigest: "i",
    });
    await ask("POST", "/v1/progress", { step: "apply" });
    await ask("PUT", "/v1/state/lock", { ID: "lock" });
    await ask("POST", "/v1/state?ID=lock", aState({ serial: 1, resources: ["vpc"] }));
    await ask("DELETE", "/v1/state/lock?ID=lock");
    await ask("POST", "/v1/result", { outcome: { result: "Applied", reason: "Applied", message: "all is there" } });

    const { status } = await client.get<Run>(RUNS, NAMESPACE, run.metadata.name);
    assert.equal(status?.plan?.digest, "sha256:plan");
    assert.deepEqual(status?.plan?.resources, [{ address: "terraform_data.vpc", action: "create" }]);
    assert.equal(status?.progress?.step, "apply");
    assert.deepEqual([status?.progress?.done, status?.progress?.current], [undefined, undefined]);
    assert.ok(status?.plannedAt && status.applyStartedAt);
    assert.deepEqual(
      [status?.outcome?.result, status?.outcome?.stateSerial, status?.outcome?.resources],
      ["Applied", 1, 1],
    );
  });

  it("refuses a token of another audience, one that is bound to no pod, and a pod that somebody else made", async () => {
    const request = { run: run.metadata.name, namespace: NAMESPACE, phase: "Plan" };
    const pod = await aPod(client, ring, run);
    const claim = async (token: string) => (await sendTo(gateway, "POST", "/v1/claim", token, request)).status;
    assert.equal(await claim(await tokenFor(pod, "another-audience")), 401);
    assert.equal(await claim(await tokenFor(undefined)), 401);
    const foreign = await aPod(client, createKeyRing(newKeyMaterial()), run);
    assert.equal(await claim(await tokenFor(foreign)), 403);
  });
});

async function installRuns(client: Client): Promise<void> {
  const text = await readFile(join(import.meta.dirname, "../../crds/runs.yaml"), "utf8");
  await client.apply(CUSTOM_RESOURCE_DEFINITIONS, parse(text) as KubeObject);
  const served = () =>
    client.list(RUNS).then(
      () => true,
      () => false,
    );
  await until("runs are served", served);
}

function aPod(client: Client, ring: KeyRing, { metadata }: Run): Promise<Stored<Pod>> {
  const name = `${metadata.name}-${randomUUID().slice(0, 4)}`;
  const pod: Pod = {
    metadata: {
      name,
      namespace: NAMESPACE,
      labels: { [LABELS.run]: metadata.name },
      annotations: { [ANNOTATIONS.order]: signOrder(ring, { runUid: metadata.uid, podName: name, phase: "Plan" }) },
    },
    spec: { automountServiceAccountToken: false, containers: [{ name: "agent", image: "runner" }] },
  };
  return client.create(PODS, pod);
}

/** As the kubelet asks for it. */
async function tokenFor(pod: Stored<Pod> | undefined, audience = GATEWAY_AUDIENCE): Promise<string> {
  const { transport } = await engineServer();
  const bound = { apiVersion: "v1", kind: "Pod", name: pod?.metadata.name, uid: pod?.metadata.uid };
  const answer = await transport.call({
    verb: "create",
    method: "POST",
    path: `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/default/token`,
    resource: "serviceaccounts",
    body: {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { audiences: [audience], expirationSeconds: 600, ...(pod === undefined ? {} : { boundObjectRef: bound }) },
    },
    idempotent: false,
    secret: true,
  });
  return (answer as { readonly status: { readonly token: string } }).status.token;
}
