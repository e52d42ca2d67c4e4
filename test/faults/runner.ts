import { GATEWAY_AUDIENCE, LABELS } from "../../operator/api/names.ts";
import type { Pod } from "../../operator/cluster/kinds.ts";
import type { Stored } from "../../operator/cluster/ports.ts";
import { PODS } from "../../operator/cluster/resources.ts";
import type { Gateway } from "../../operator/gateway/gateway.ts";
import type { WorkOrder } from "../../operator/gateway/protocol.ts";
import { systemClock } from "../../operator/loop/clock.ts";
import { createReflector } from "../../operator/loop/reflector.ts";
import { runAgent } from "../fakes/world-agent.ts";
import type { Cloud } from "../fakes/world-cloud.ts";
import { diceFrom } from "../fakes/world-dice.ts";
import type { GatewayReply } from "../fakes/world-gateway.ts";
import { createTurns, Killed, type Turns } from "../fakes/world-turns.ts";
import { sendTo } from "../unit/gateway/gateway-world.ts";
import type { Stage } from "./stage.ts";

export interface RunnerParts {
  readonly stage: Stage;
  readonly gateway: Gateway;
  readonly namespace: string;
  readonly cloud: Cloud;
  readonly tell: (line: string) => void;
  readonly violated: (what: string) => void;
  /** Told after every change of a real thing; true: the pod is killed at this moment. */
  readonly dies: () => boolean;
}

/** Kubelet and runner pods: what a pod does, it does over the real protocol, and its end is reported in the pod's status. */
export function startRunners(parts: RunnerParts): { stop(): Promise<void> } {
  const { stage, namespace, tell } = parts;
  const stop = new AbortController();
  const known = new Set<string>();
  const leaving = new Set<string>();
  const working: Promise<void>[] = [];
  const pods = createReflector<Pod>({
    client: stage.client,
    resource: PODS,
    selection: { namespace, labelSelector: LABELS.run },
    clock: systemClock,
  });
  pods.onChange((_old, pod) => {
    if (pod === undefined) return;
    const { uid, name, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined) leaving.add(uid);
    if (known.has(uid) || deletionTimestamp !== undefined) return;
    known.add(uid);
    tell(`${name} runs`);
    working.push(live(parts, pod, () => leaving.has(uid) || stop.signal.aborted));
  });
  const watching = pods.run(stop.signal);
  return {
    async stop() {
      stop.abort();
      await Promise.all([watching, ...working]);
    },
  };
}

async function live(parts: RunnerParts, pod: Stored<Pod>, ending: () => boolean): Promise<void> {
  const { stage, cloud, tell } = parts;
  const { uid, name, namespace = "" } = pod.metadata;
  const self = createTurns().mortal(name);
  const mortal: Cloud = {
    ...cloud,
    create: (...what) => survived(cloud.create(...what)),
    change: (...what) => survived(cloud.change(...what)),
    destroy: (...what) => survived(cloud.destroy(...what)),
  };
  const survived = <T>(result: T): T => {
    if (!parts.dies()) return result;
    tell(`${name} is killed`);
    cloud.end(uid);
    self.kill();
    throw new Killed(name);
  };
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
  const run = pod.metadata.labels?.[LABELS.run] ?? "";
  await runAgent({
    self,
    pod: { uid, name, namespace, run },
    phase: phaseOf(pod),
    onApply: () => {},
    gateway: wire(parts, pod),
    gatewayIsAway: () => false,
    cloud: mortal,
    turns: untroubled,
    dice: diceFrom(1),
    now: () => systemClock.now(),
    ending,
    violated: parts.violated,
  });
  const [phase, reason, exitCode] = self.alive ? ["Succeeded", "Completed", 0] : ["Failed", "Error", 137];
  await report(String(phase), { terminated: { exitCode, reason } });
}

const phaseOf = ({ metadata }: Stored<Pod>) => (metadata.name.endsWith("-a") ? "Apply" : "Plan");

const statusOf = (name: string, state: object) => ({
  name,
  state,
  ready: false,
  restartCount: 0,
  image: "runner",
  imageID: "",
});

/** A pod's requests wait for nobody here. */
const untroubled = {
  async request(
    sender: { readonly alive: boolean; readonly name: string },
    _what: string,
    _isWrite: boolean,
    work: () => unknown,
  ) {
    if (!sender.alive) throw new Killed(sender.name);
    return work();
  },
  parked: (promise: Promise<unknown>) => promise,
} as unknown as Turns;

/** The gateway as a pod reaches it: by HTTPS, with a token that is bound to the pod. */
function wire({ stage, gateway }: RunnerParts, pod: Stored<Pod>) {
  const { namespace = "" } = pod.metadata;
  const ask = async (method: string, path: string, bearer: string, body?: Buffer | object): Promise<GatewayReply> => {
    const reply = await sendTo(gateway, method, path, bearer, body).catch(() => undefined);
    if (reply === undefined || reply.status >= 500) {
      await systemClock.sleep(100);
      return { type: "away" };
    }
    const { error } = reply.json as { readonly error?: { readonly code: string; readonly message: string } };
    if (error !== undefined) return { type: "refused", ...error };
    const bytes = reply.bytes.length === 0 ? {} : { bytes: reply.bytes };
    return { type: "answer", answer: { status: reply.status, ...bytes } as never };
  };
  return {
    async claim(_token: string, _namespace: string, run: string): Promise<GatewayReply> {
      const reply = await ask("POST", "/v1/claim", await tokenFor(stage, pod), { run, namespace, phase: phaseOf(pod) });
      if (reply.type !== "answer" || !("bytes" in reply.answer)) return reply;
      return { type: "order", order: JSON.parse(reply.answer.bytes.toString()) as WorkOrder };
    },
    send(session: string, request: string, body: unknown, lockId = ""): Promise<GatewayReply> {
      const [method = "", path = ""] = request.split(" ");
      const query = lockId === "" ? "" : `?ID=${encodeURIComponent(lockId)}`;
      return ask(method, path + query, session, body as Buffer | object | undefined);
    },
  };
}

/** As the kubelet asks for it. */
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
