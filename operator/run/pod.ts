import { AGENT_ENV, AGENT_UID, COMMANDS, ENGINE_UID, POD_PATHS, SHARED_GID } from "../../runner/pod-layout.ts";
import { ANNOTATIONS, API_VERSION, FINALIZERS, GATEWAY_AUDIENCE, LABELS } from "../api/names.ts";
import type { Run } from "../api/run.ts";
import type { Container, Pod, PodSpec } from "../cluster/kinds.ts";
import { type InputVolume, inputVolumes } from "./input-volumes.ts";

export type RunPhaseName = "Plan" | "Apply";

/** What a pod needs to know of the installation. */
export interface PodSettings {
  readonly gatewayUrl: string;
  /** Certificates (PEM) that the gateway's own is signed by. They are public. */
  readonly gatewayCa: string;
  /** Proof that the operator made this pod. */
  readonly order: string;
}

/** Time for the engine to finish what it is doing and to hand its state over, after a SIGTERM: a drain may take that long. */
const GRACE_SECONDS = 900;
/** A Check has no state to hand over. */
const CHECK_GRACE_SECONDS = 30;

const RESTRICTED: NonNullable<Container["securityContext"]> = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};

export function podName(run: Run, phase: RunPhaseName): string {
  return `${run.metadata.name}-${phase === "Plan" ? "p" : "a"}`;
}

/** The bare pod of one phase of a Run: the agent holds the only credential of ours, the engine runs the tenant's code. */
export function podFor(run: Run, phase: RunPhaseName, settings: PodSettings): Pod {
  const { environment, component, inputs } = run.spec;
  const volumes = inputVolumes(inputs);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: podName(run, phase),
      namespace: run.metadata.namespace,
      labels: {
        "app.kubernetes.io/managed-by": "terrarium",
        [LABELS.environment]: environment.name,
        [LABELS.environmentUid]: environment.uid,
        [LABELS.component]: component,
        [LABELS.run]: run.metadata.name,
      },
      annotations: {
        [ANNOTATIONS.order]: settings.order,
        "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
      },
      // Nothing has to be known of the end of a Check.
      ...(run.spec.operation === "Check" ? {} : { finalizers: [FINALIZERS.pod] }),
      ownerReferences: [
        { apiVersion: API_VERSION, kind: "Run", name: run.metadata.name, uid: run.metadata.uid, controller: true },
      ],
    },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: run.spec.operation === "Check" ? CHECK_GRACE_SECONDS : GRACE_SECONDS,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      serviceAccountName: inputs.runner.serviceAccountName ?? "default",
      ...placement(run),
      securityContext: {
        runAsNonRoot: true,
        fsGroup: SHARED_GID,
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [agent(run, phase, settings, volumes), engine(run)],
      volumes: [...ownVolumes(run), ...volumes.map(({ volume }) => volume)],
    },
  };
}

function placement(run: Run): Partial<PodSpec> {
  const { nodeSelector, tolerations, imagePullSecrets } = run.spec.inputs.runner;
  return {
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(tolerations === undefined ? {} : { tolerations: tolerations as NonNullable<PodSpec["tolerations"]> }),
    ...(imagePullSecrets === undefined ? {} : { imagePullSecrets }),
  };
}

function agent(run: Run, phase: RunPhaseName, settings: PodSettings, volumes: readonly InputVolume[]): Container {
  return {
    name: "agent",
    image: run.spec.engine.image,
    imagePullPolicy: "IfNotPresent",
    command: [...COMMANDS.agent],
    // An agent that died is started again alone: it finds in its spool where it was, and the engine has gone on meanwhile.
    restartPolicy: "OnFailure",
    env: [
      { name: AGENT_ENV.gatewayUrl, value: settings.gatewayUrl },
      { name: AGENT_ENV.gatewayCa, value: settings.gatewayCa },
      { name: AGENT_ENV.namespace, value: run.metadata.namespace },
      { name: AGENT_ENV.run, value: run.metadata.name },
      { name: AGENT_ENV.phase, value: phase },
      { name: "HOME", value: "/tmp" },
    ],
    resources: { requests: { cpu: "20m", memory: "64Mi" }, limits: { memory: "1Gi" } },
    securityContext: { ...RESTRICTED, runAsUser: AGENT_UID, runAsGroup: SHARED_GID },
    terminationMessagePolicy: "File",
    volumeMounts: [
      { name: "in", mountPath: POD_PATHS.in },
      { name: "out", mountPath: POD_PATHS.out, readOnly: true },
      { name: "socket", mountPath: POD_PATHS.socketDir },
      { name: "secrets", mountPath: POD_PATHS.secrets },
      { name: "credentials", mountPath: POD_PATHS.credentials },
      { name: "spool", mountPath: POD_PATHS.spool },
      { name: "gateway", mountPath: "/terrarium/gateway", readOnly: true },
      { name: "agent-tmp", mountPath: "/tmp" },
      ...caMount(run),
      ...volumes.map(({ mount }) => mount),
    ],
  };
}

function engine(run: Run): Container {
  const { resources } = run.spec.inputs.runner;
  return {
    name: "engine",
    image: run.spec.engine.image,
    imagePullPolicy: "IfNotPresent",
    command: [...COMMANDS.engine],
    env: [{ name: "HOME", value: "/tmp" }],
    resources: {
      requests: { cpu: "100m", memory: "128Mi", ...resources?.requests },
      ...(resources?.limits === undefined ? {} : { limits: resources.limits }),
    },
    securityContext: { ...RESTRICTED, runAsUser: ENGINE_UID, runAsGroup: SHARED_GID },
    volumeMounts: [
      { name: "in", mountPath: POD_PATHS.in, readOnly: true },
      { name: "out", mountPath: POD_PATHS.out },
      { name: "socket", mountPath: POD_PATHS.socketDir },
      { name: "secrets", mountPath: POD_PATHS.secrets, readOnly: true },
      { name: "credentials", mountPath: POD_PATHS.credentials, readOnly: true },
      { name: "engine-tmp", mountPath: "/tmp" },
      ...caMount(run),
    ],
  };
}

function caMount({ spec }: Run): NonNullable<Container["volumeMounts"]> {
  return spec.inputs.runner.caBundle === undefined ? [] : [{ name: "ca", mountPath: "/terrarium/ca", readOnly: true }];
}

/** No size limits on disk volumes: exceeding one evicts the pod with a second of grace, in the middle of an apply. */
function ownVolumes(run: Run): NonNullable<PodSpec["volumes"]> {
  const ca = run.spec.inputs.runner.caBundle?.configMapKeyRef;
  const token = { audience: GATEWAY_AUDIENCE, expirationSeconds: 3600, path: "token" };
  return [
    ...["in", "out", "socket", "spool", "agent-tmp", "engine-tmp"].map((name) => ({ name, emptyDir: {} })),
    ...["secrets", "credentials"].map((name) => ({ name, emptyDir: { medium: "Memory" } })),
    { name: "gateway", projected: { sources: [{ serviceAccountToken: token }] } },
    ...(ca === undefined
      ? []
      : [{ name: "ca", configMap: { name: ca.name, optional: true, items: [{ key: ca.key, path: "ca.crt" }] } }]),
  ];
}
