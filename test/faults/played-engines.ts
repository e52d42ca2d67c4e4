import { LABELS } from "../../operator/api/names.ts";
import type { Pod } from "../../operator/cluster/kinds.ts";
import type { Stored } from "../../operator/cluster/ports.ts";
import type { WorkOrder } from "../../operator/gateway/protocol.ts";
import { systemClock } from "../../operator/loop/clock.ts";
import { anEnvironment } from "../fakes/objects.ts";
import { runAgent } from "../fakes/world-agent.ts";
import { type Cloud, createCloud } from "../fakes/world-cloud.ts";
import { diceFrom } from "../fakes/world-dice.ts";
import type { GatewayReply } from "../fakes/world-gateway.ts";
import { aModule } from "../fakes/world-people.ts";
import { createTurns, Killed, type Turns } from "../fakes/world-turns.ts";
import { sendTo } from "../unit/gateway/gateway-world.ts";
import type { Engines, EnginesParts, Hands } from "./engines.ts";

/**
 * One program plays agent and engine: what a pod does, it does over the real protocol, to things in memory. Of `size` things the first is changed in
 * place, the second is replaced.
 */
export function playedEngines(parts: EnginesParts, size = 2): Engines & { readonly cloud: Cloud } {
  const cloud = createCloud(parts.violated);
  return {
    cloud,
    spec(version) {
      const { source, components } = anEnvironment([aModule("network", [], { size, value: `v${version}` })]).spec;
      return { source, components };
    },
    run: (pod, hands) => play(parts, cloud, pod, hands),
    ledger: () => cloud.ledger,
    things: () => cloud.objects().map(({ address, content }) => `${address}: ${content}`),
    close: () => Promise.resolve(),
  };
}

async function play(parts: EnginesParts, cloud: Cloud, pod: Stored<Pod>, hands: Hands): Promise<boolean> {
  const { uid, name, namespace = "" } = pod.metadata;
  const self = createTurns().mortal(name);
  if (hands.gone.aborted) self.kill();
  hands.gone.addEventListener("abort", () => self.kill(), { once: true });
  const survived = <T>(result: T): T => {
    if (!parts.dies()) return result;
    cloud.end(uid);
    self.kill();
    throw new Killed(name);
  };
  const mortal: Cloud = {
    ...cloud,
    create: (...what) => survived(cloud.create(...what)),
    change: (...what) => survived(cloud.change(...what)),
    destroy: (...what) => survived(cloud.destroy(...what)),
  };
  await runAgent({
    self,
    pod: { uid, name, namespace, run: pod.metadata.labels?.[LABELS.run] ?? "" },
    phase: phaseOf(pod),
    onApply: () => {},
    gateway: wire(pod, hands),
    gatewayIsAway: () => false,
    cloud: mortal,
    turns: untroubled,
    dice: diceFrom(1),
    now: () => systemClock.now(),
    ending: () => hands.ending.aborted,
    violated: parts.violated,
  });
  return self.alive;
}

const phaseOf = ({ metadata }: Stored<Pod>) => (metadata.name.endsWith("-a") ? "Apply" : "Plan");

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
function wire(pod: Stored<Pod>, { gateway, token }: Hands) {
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
      const reply = await ask("POST", "/v1/claim", await token(), { run, namespace, phase: phaseOf(pod) });
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
