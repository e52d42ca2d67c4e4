import { GATEWAY_AUDIENCE } from "../../operator/api/names.ts";
import type { Pod } from "../../operator/cluster/kinds.ts";
import type { Stored } from "../../operator/cluster/ports.ts";
import { PODS } from "../../operator/cluster/resources.ts";
import type { Gateway } from "../../operator/gateway/gateway.ts";
import { RUNNER_IMAGE_ID } from "../fakes/objects.ts";
import type { Engines } from "./engines.ts";
import type { Stage } from "./stage.ts";

export interface KubeletParts {
  readonly stage: Stage;
  readonly gateway: Pick<Gateway, "url" | "caPem">;
  readonly namespace: string;
  readonly engines: Engines;
  readonly tell: (line: string) => void;
}

/** Starts what is in each pod, asks it to end when the pod is deleted, and reports how it ended in the pod's status. */
export function startKubelet(parts: KubeletParts): { stop(): Promise<void> } {
  const { stage, namespace, tell } = parts;
  const known = new Map<string, AbortController>();
  const working: Promise<void>[] = [];
  const gone = new AbortController();
  const forget = stage.sight.pods.onChange((_old, pod) => {
    if (pod === undefined || pod.metadata.namespace !== namespace) return;
    const { uid, name, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined) known.get(uid)?.abort();
    if (known.has(uid) || deletionTimestamp !== undefined) return;
    const ending = new AbortController();
    known.set(uid, ending);
    tell(`${name} runs`);
    working.push(live(parts, pod, ending.signal, gone.signal));
  });
  return {
    async stop() {
      forget();
      for (const ending of known.values()) ending.abort();
      gone.abort();
      await Promise.all(working);
    },
  };
}

async function live(
  { stage, gateway, engines, tell }: KubeletParts,
  pod: Stored<Pod>,
  ending: AbortSignal,
  gone: AbortSignal,
) {
  const { name, namespace = "" } = pod.metadata;
  const report = (phase: string, state: object) =>
    stage.client
      .mergePatch(
        PODS,
        namespace,
        name,
        { status: { phase, containerStatuses: ["agent", "engine"].map((container) => statusOf(container, state)) } },
        { subresource: "status" },
      )
      .catch(() => tell(`${name} is gone before its status`));
  await report("Running", { running: {} });
  const alive = await engines.run(pod, { gateway, ending, gone, token: () => tokenFor(stage, pod) });
  if (!alive) tell(`${name} is killed`);
  const [phase, reason, exitCode] = alive ? ["Succeeded", "Completed", 0] : ["Failed", "Error", 137];
  await report(String(phase), { terminated: { exitCode, reason } });
}

const statusOf = (name: string, state: object) => ({
  name,
  state,
  ready: false,
  restartCount: 0,
  image: "runner",
  imageID: RUNNER_IMAGE_ID,
});

async function tokenFor({ transport }: Stage, { metadata }: Stored<Pod>): Promise<string> {
  const answer = await transport.call({
    verb: "create",
    method: "POST",
    path: `/api/v1/namespaces/${metadata.namespace}/serviceaccounts/default/token`,
    resource: "serviceaccounts",
    body: {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {
        audiences: [GATEWAY_AUDIENCE],
        expirationSeconds: 600,
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name: metadata.name, uid: metadata.uid },
      },
    },
    idempotent: false,
    secret: true,
  });
  return (answer as { readonly status: { readonly token: string } }).status.token;
}
