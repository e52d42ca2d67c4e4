import assert from "node:assert/strict";
import { Agent, request } from "node:https";
import { ANNOTATIONS, API_VERSION, GATEWAY_AUDIENCE, LABELS } from "../../../operator/api/names.ts";
import type { Run, RunInputs, RunSpec } from "../../../operator/api/run.ts";
import { PODS, RUNS } from "../../../operator/cluster/resources.ts";
import { type Gateway, type GatewayPorts, startGateway } from "../../../operator/gateway/gateway.ts";
import { signOrder } from "../../../operator/gateway/order.ts";
import { systemClock } from "../../../operator/loop/clock.ts";
import { createKeyRing, newKeyMaterial } from "../../../operator/storage/key-ring.ts";
import type { ComponentRecord, StateKey } from "../../../operator/storage/record.ts";
import { createSecretStore } from "../../../operator/storage/secret-store.ts";
import { fakeKubeClient } from "../../fakes/kube-client.ts";
import { aToken } from "../../fakes/token.ts";

export const NAMESPACE = "team-shop";
export const OPERATOR_NAMESPACE = "terrarium-system";

/** The record that a Run works on. */
export const keyOf = ({ spec }: Run): StateKey => ({
  namespace: NAMESPACE,
  environment: spec.environment.name,
  component: spec.component,
});

export interface Reply {
  readonly status: number;
  readonly bytes: Buffer;
  readonly json: Record<string, unknown>;
}

/** What a reply says in short: `200`, or `409 Fenced`. */
export const codeOf = ({ status, json }: Reply): string =>
  `${status} ${(json.error as { code?: string } | undefined)?.code ?? ""}`.trim();

/** A pod as the Run controller makes it, with a token that TokenReview knows. */
export interface PodInWorld {
  readonly name: string;
  readonly uid: string;
  readonly token: string;
}

type WorldFacts = Partial<Omit<GatewayPorts, "client">> & { readonly client?: ReturnType<typeof fakeKubeClient> };

/** One gateway, or two as replicas, on a fake API server with the real store on it. */
export async function gatewayWorld({ client = fakeKubeClient(), ...facts }: WorldFacts = {}) {
  const { ring = createKeyRing(newKeyMaterial()) } = facts;
  const { store = createSecretStore({ client, namespace: OPERATOR_NAMESPACE, ring }) } = facts;
  const lines: string[] = [];
  const log = (entry: object, message: string) => void lines.push(JSON.stringify({ ...entry, message }));
  const start = (): Promise<Gateway> =>
    startGateway({
      client,
      store,
      ring,
      namespace: OPERATOR_NAMESPACE,
      hosts: ["127.0.0.1"],
      listen: { host: "127.0.0.1", port: 0 },
      digestOfApplied: (spec, revision) => `${spec.inputsDigest} at ${revision}`,
      clock: systemClock,
      log: { info: log, error: log },
      ...facts,
    });
  const [gateway, replica] = [await start(), await start()];

  const aRun = (
    component: string,
    number: number,
    facts: Partial<RunSpec> = {},
    inputs: Partial<RunInputs> = {},
  ): Run => {
    const name = `shop-${component}-${number}`;
    const labels = { [LABELS.environmentUid]: "env-uid" };
    const metadata = { name, namespace: NAMESPACE, uid: `uid-${name}`, resourceVersion: "1", labels };
    const run: Run = { apiVersion: API_VERSION, kind: "Run", metadata, spec: specOf(component, number, facts, inputs) };
    client.seed(RUNS, run);
    return run;
  };
  const aPod = (run: Run, { phase = "Plan" as "Plan" | "Apply", order = "", suffix = "p" } = {}): PodInWorld => {
    const name = `${run.metadata.name}-${suffix}`;
    const signature = order || signOrder(ring, { runUid: run.metadata.uid, podName: name, phase });
    const metadata = {
      name,
      namespace: NAMESPACE,
      uid: `uid-${name}`,
      labels: { [LABELS.run]: run.metadata.name },
      annotations: { [ANNOTATIONS.order]: signature },
    };
    client.seed(PODS, { metadata });
    const token = aToken(name);
    client.tokens.set(token, tokenFor(name, metadata.uid));
    return { name, uid: metadata.uid, token };
  };
  const connections = new Agent({ keepAlive: true });
  const call = (at: Gateway, method: string, path: string, bearer: string, body?: Buffer | object): Promise<Reply> =>
    sendTo(at, method, path, bearer, body, connections);
  const claim = (pod: PodInWorld, run: Run, at = gateway, phase = "Plan") =>
    call(at, "POST", "/v1/claim", pod.token, { run: run.metadata.name, namespace: NAMESPACE, phase });

  const recordOf = async (run: Run): Promise<ComponentRecord> => {
    const found = await store.record(keyOf(run));
    return found?.value ?? assert.fail("there is no record");
  };

  return {
    client,
    store,
    ring,
    lines,
    gateway,
    replica,
    aRun,
    aPod,
    call,
    claim,
    recordOf,
    runStatus: async (run: Run) => (await client.get<Run>(RUNS, NAMESPACE, run.metadata.name)).status,
    close: async () => {
      connections.destroy();
      await Promise.all([gateway.close(), replica.close()]);
    },
  };
}

/** What a pod says until it is told to apply, where nobody has to be asked. */
export async function untilApplying(ask: (method: string, path: string, body: Buffer | object) => Promise<unknown>) {
  await ask("PUT", "/v1/archive", Buffer.from("archive"));
  await ask("POST", "/v1/plan", {
    digest: "sha256:plan",
    counts: { create: 1, update: 0, replace: 0, delete: 0 },
    empty: false,
    resources: [],
    truncated: false,
    drifted: 0,
    inputsDigest: "i",
  });
}

export type GatewayWorld = Awaited<ReturnType<typeof gatewayWorld>>;

function tokenFor(name: string, uid: string) {
  return {
    authenticated: true,
    username: `system:serviceaccount:${NAMESPACE}:default`,
    uid: "sa",
    groups: [],
    audiences: [GATEWAY_AUDIENCE],
    extra: { "authentication.kubernetes.io/pod-name": [name], "authentication.kubernetes.io/pod-uid": [uid] },
  };
}

export function specOf(
  component: string,
  number: number,
  facts: Partial<RunSpec> = {},
  inputs: Partial<RunInputs> = {},
): RunSpec {
  return {
    environment: { name: "shop", uid: "env-uid", generation: 1 },
    component,
    number,
    operation: "Apply",
    inputsDigest: "sha256:inputs",
    desiredDigest: `sha256:desired-${number}`,
    engine: { name: "opentofu", version: "1.12", image: "runner@sha256:0" },
    cause: { type: "Created" },
    attempt: 0,
    inputs: {
      source: { inline: { "main.tf": "" } },
      path: ".",
      variables: [],
      credentials: [],
      runner: {},
      timeouts: { plan: "15m", apply: "60m" },
      dependsOn: [],
      ...inputs,
    } as RunInputs,
    ...facts,
  };
}

export function sendTo(
  at: Pick<Gateway, "url" | "caPem">,
  method: string,
  path: string,
  bearer: string,
  body?: Buffer | object,
  agent: Agent | false = false,
): Promise<Reply> {
  const content = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const headers = {
    authorization: `Bearer ${bearer}`,
    ...(content === undefined ? {} : { "content-type": "application/json", "content-length": content.length }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, at.url), { method, headers, ca: at.caPem(), agent }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("error", reject).on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const isJson = incoming.headers["content-type"]?.startsWith("application/json") === true && bytes.length < 1e6;
        resolve({ status: incoming.statusCode ?? 0, bytes, json: isJson ? JSON.parse(bytes.toString()) : {} });
      });
    });
    outgoing.on("error", reject).end(content);
  });
}
