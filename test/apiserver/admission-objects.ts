import { hash } from "node:crypto";
import type { z } from "zod";
import { GATEWAY_AUDIENCE, LABELS } from "../../operator/api/names.ts";
import type { runSpec } from "../../operator/api/run.ts";
import { COMMANDS } from "../../runner/pod-layout.ts";

/** Objects that the API server accepts from the operator; each suite changes what it is about. */

type Fields = Readonly<Record<string, unknown>>;

export const environment = (name: string, fields: Fields = {}) => ({
  apiVersion: "terrarium.dev/v1alpha1",
  kind: "Environment",
  metadata: { name, ...fields },
  spec: { source: { inline: { "main.tf": "" } }, components: [{ name: "network", terraform: {} }] },
});

export const run = (name: string, inputs: Fields = {}) => ({
  apiVersion: "terrarium.dev/v1alpha1",
  kind: "Run",
  metadata: { name },
  spec: {
    environment: { name: "shop", uid: "4fd3", generation: 1 },
    component: "network",
    number: 1,
    operation: "Apply",
    desiredDigest: "sha256:00",
    inputsDigest: "sha256:01",
    engine: { name: "opentofu", version: "1.12", image: "localhost/terrarium/runner:opentofu-1.12" },
    cause: { type: "Created" },
    attempt: 0,
    inputs: {
      source: { inline: { "main.tf": "" } },
      path: ".",
      variables: [],
      credentials: [],
      runner: {},
      timeouts: {},
      ...inputs,
    },
  } satisfies z.input<typeof runSpec>,
});

export const restricted = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};

/** Without an audience, the API server's own. */
export const projectedToken = (audience?: string) => ({
  name: `token-${hash("sha1", audience ?? "").slice(0, 8)}`,
  projected: {
    sources: [{ serviceAccountToken: { path: "token", ...(audience === undefined ? {} : { audience }) } }],
  },
});

export const gatewayToken = projectedToken(GATEWAY_AUDIENCE);

export const container = (fields: Fields = {}) => ({
  name: "agent",
  image: "localhost/terrarium/runner:opentofu-1.12",
  command: [...COMMANDS.agent],
  securityContext: restricted,
  ...fields,
});

export const runnerPod = (
  name: string,
  spec: Fields = {},
  labels: Fields = { [LABELS.run]: "shop-network-1a2b3c4d" },
) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, labels },
  spec: {
    automountServiceAccountToken: false,
    restartPolicy: "Never",
    containers: [container()],
    volumes: [gatewayToken],
    ...spec,
  },
});

export const plainPod = (name: string, spec: Fields = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { containers: [{ name: "main", image: "busybox" }], ...spec },
});

export const secret = (name: string, fields: Fields = {}, labels: Fields = {}) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, labels },
  stringData: { key: "value" },
  ...fields,
});

export const configMap = (name: string, labels: Fields = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, labels },
  data: { key: "value" },
});
