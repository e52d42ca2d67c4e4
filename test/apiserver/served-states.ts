import assert from "node:assert/strict";
import { KubeConfig } from "@kubernetes/client-node";
import { environmentReference } from "../../operator/assembly/environment-writes.ts";
import { createClient } from "../../operator/cluster/client.ts";
import { connect } from "../../operator/cluster/connection.ts";
import { createEventRecorder } from "../../operator/cluster/events.ts";
import { createTransport } from "../../operator/cluster/transport.ts";
import { systemClock } from "../../operator/loop/clock.ts";
import { startStateApi } from "../../operator/state-api/state-api.ts";
import { createKeyRing, newKeyMaterial } from "../../operator/storage/key-ring.ts";
import { createSecretStore } from "../../operator/storage/secret-store.ts";
import { freePort } from "../../tools/free-port.ts";
import { type Api, chartServer, type Manifest, made, OPERATOR_NAMESPACE, renderedChart } from "./admission-server.ts";

/** Of its own, since the chart's leads to pods. */
export const SERVICE = "states-of-a-test";

/** As the operator does it, with no right but those that the chart gives to its ServiceAccount. */
export async function serveStates(api: Api) {
  const connection = await connect(await operatorConfig(api));
  const client = createClient(createTransport({ connection, clock: systemClock }), {});
  const store = createSecretStore({ client, namespace: OPERATOR_NAMESPACE, ring: createKeyRing(newKeyMaterial()) });
  const events = createEventRecorder({ writer: client, clock: systemClock, instance: "test" });
  const service = (await renderedChart()).find(({ kind }) => kind === "APIService");
  assert.ok(service);
  const port = await freePort();
  const name = SERVICE;
  // Without nodes a Service leads nowhere; one that is only a name leads here.
  const outside = { type: "ExternalName", externalName: "localhost", ports: [{ port }] };
  const metadata = { name, namespace: OPERATOR_NAMESPACE };
  await made(
    api.create(`/api/v1/namespaces/${OPERATOR_NAMESPACE}/services`, {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: outside,
    }),
  );
  const spec = service.spec as { readonly service: object };
  const registered: Manifest = { ...service, spec: { ...spec, service: { ...spec.service, name, port } } };
  await made(api.create("/apis/apiregistration.k8s.io/v1/apiservices", registered));
  const states = await startStateApi({
    store,
    client,
    clock: systemClock,
    log: { info: () => {}, error: (facts, message) => assert.fail(`${message} ${JSON.stringify(facts)}`) },
    tell: (about, reason, message) => events.record(environmentReference(about), { type: "Normal", reason, message }),
    namespace: OPERATOR_NAMESPACE,
    hosts: [`${name}.${OPERATOR_NAMESPACE}.svc`],
    listen: { host: "127.0.0.1", port },
  });
  return { store, states, connection };
}

async function operatorConfig(api: Api): Promise<KubeConfig> {
  const server = await chartServer();
  const path = `/api/v1/namespaces/${OPERATOR_NAMESPACE}/serviceaccounts/terrarium-operator/token`;
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
  const { body: answer } = await made(api.call({ method: "POST", path, body }));
  const { token } = answer.status as { readonly token: string };
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: "test", server: server.url, caFile: server.caFile, skipTLSVerify: false },
    { name: "operator", token },
  );
  return config;
}
