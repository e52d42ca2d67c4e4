import type { Environment } from "../../operator/api/environment.ts";
import { LABELS } from "../../operator/api/names.ts";
import { ApiError, ApiUnreachable } from "../../operator/cluster/errors.ts";
import type { Pod } from "../../operator/cluster/kinds.ts";
import type { Stored } from "../../operator/cluster/ports.ts";
import { ENVIRONMENTS, PODS, RUNS } from "../../operator/cluster/resources.ts";
import { createKeyRing } from "../../operator/storage/key-ring.ts";
import { RecordConflict } from "../../operator/storage/port.ts";
import { isRefused } from "../../operator/storage/refusal.ts";
import { runAgent } from "./world-agent.ts";
import { createWorldApi } from "./world-api.ts";
import { worldClient } from "./world-client.ts";
import { worldClock } from "./world-clock.ts";
import { createCloud } from "./world-cloud.ts";
import { type Dice, diceFrom } from "./world-dice.ts";
import { specHistory } from "./world-expectation.ts";
import { worldGateway } from "./world-gateway.ts";
import { type Act, createKubelet } from "./world-kubelet.ts";
import { type OperatorProcess, startOperatorProcess } from "./world-operator.ts";
import { createOracles } from "./world-oracles.ts";
import { watchStatuses } from "./world-statuses.ts";
import { worldStore } from "./world-store.ts";
import { createTurns, type Fate, Killed, type Mortal, type Turn } from "./world-turns.ts";

/** How often things go wrong, as fractions of requests. */
export interface Weather {
  readonly refused: number;
  readonly lost: number;
  readonly killed: number;
}

export const CALM: Weather = { refused: 0, lost: 0, killed: 0 };

/** A promise was broken. The last lines of what happened are in the message. */
export class Violation extends Error {
  override readonly name = "Violation";
}

export interface WorldOptions {
  readonly seed: number;
  readonly maxRuns?: number;
  /** Decides about single requests instead of the weather. */
  readonly fateOf?: (turn: Turn) => Fate | undefined;
}

/**
 * The operator's real controllers, gateway handlers and store rules in a world of memory: API server, kubelets, engines and a cloud. Everything that
 * may happen next is one step; a seed repeats all of it.
 */
export function createWorld({ seed, maxRuns = 10, fateOf }: WorldOptions) {
  const dice: Dice = diceFrom(seed);
  const turns = createTurns();
  const clock = worldClock();
  const api = createWorldApi(clock);
  const history = specHistory();
  const told: string[] = [];
  const broken: string[] = [];
  const writes: string[] = [];
  let weather = CALM;
  let gatewayAway = false;
  let refusePods = false;
  const tell = (line: string): void => void told.push(`${clock.now().toISOString().slice(11, 19)} ${line}`);
  const violated = (what: string): void => {
    tell(`VIOLATED ${what}`);
    broken.push(what);
  };
  const ring = createKeyRing({
    root: Buffer.alloc(32, 1),
    keys: new Map([["00".repeat(8), Buffer.alloc(32, 2)]]),
    activeId: "00".repeat(8),
  });
  const gatewaySelf = turns.mortal("gateway");
  const store = worldStore(turns, (sender, what) => {
    if (sender !== gatewaySelf) writes.push(what);
    tell(`${sender.name}: ${what}`);
  });
  const cloud = createCloud(violated);
  const oracles = createOracles({ api, store, cloud, history, violated });
  const moments = watchStatuses(api, cloud, violated);
  const admit = (resource: { readonly kind: string }): void => {
    if (refusePods && resource.kind === "Pod")
      throw new ApiError({ request: "create Pod", status: 403, reason: "Forbidden", message: "exceeded quota" });
  };
  const gateway = worldGateway({
    client: worldClient({
      api,
      turns,
      sender: gatewaySelf,
      manager: "terrarium-gateway",
      gatedReads: false,
      onWrite: (what) => tell(`gateway: ${what}`),
    }),
    store: store.seenBy(gatewaySelf),
    ring,
    clock,
    turns,
    known: {
      pod: (namespace, name) => operator.known.pod(namespace, name),
      run: (namespace, name) => operator.known.run(namespace, name),
      record: (key) => operator.known.record(key),
    },
    onUnexpected: (error) => violated(`gateway: ${String(error)}`),
  });
  const runPod = (pod: Stored<Pod>, self: Mortal, ending: () => boolean): Promise<void> => {
    const { uid, name, namespace = "" } = pod.metadata;
    const run = pod.metadata.labels?.[LABELS.run] ?? "";
    tell(`kubelet: ${name} runs`);
    return runAgent({
      self,
      pod: { uid, name, namespace, run },
      gateway,
      gatewayIsAway: () => gatewayAway,
      cloud,
      turns,
      dice,
      now: () => clock.now(),
      ending,
      violated,
    });
  };
  const kubelet = createKubelet({
    api,
    turns,
    run: runPod,
    onKilled(uid) {
      for (const { run } of cloud.end(uid)) oracles.cutOff(run);
      tell(`kubelet: pod ${uid} is killed`);
    },
  });

  let lives = 0;
  const startOperator = (): OperatorProcess => {
    lives += 1;
    const self = turns.mortal(`operator ${lives}`);
    const onWrite = (what: string): void => {
      writes.push(what);
      tell(`operator ${lives}: ${what}`);
    };
    return startOperatorProcess({
      api,
      clock,
      turns,
      ring,
      records: store,
      self,
      client: worldClient({ api, turns, sender: self, manager: "terrarium", gatedReads: true, onWrite, admit }),
      store: store.seenBy(self),
      maxRuns,
      maxChecks: Math.max(1, Math.floor(maxRuns / 4)),
      tell,
      onError(error) {
        if (isExpected(error)) tell(`operator ${lives}: a round failed: ${String(error)}`);
        else violated(`a round failed: ${error instanceof Error ? error.stack : String(error)}`);
      },
    });
  };
  let operator = startOperator();

  const fateFor = (turn: Turn): Fate => {
    const own = fateOf?.(turn);
    if (own !== undefined) return own;
    const { refused, lost, killed } = weather;
    const roll = dice.fraction();
    if (roll < refused) return "refused";
    if (roll < refused + lost) return "lost";
    if (turn.sender === operator.self && turn.isWrite && roll < refused + lost + killed)
      return dice.chance(0.5) ? "killedBefore" : "killedAfter";
    return "goes";
  };

  /** Everything that may happen next, time apart. */
  const choices = (): { readonly weight: number; readonly value: Act }[] => [
    ...turns.waiting().map((turn) => ({
      weight: 4,
      value: { what: `${turn.sender.name}: ${turn.what}`, act: () => turn.open(fateFor(turn)) },
    })),
    ...operator.caches
      .filter((cache) => cache.behind() > 0)
      .map((cache) => ({
        weight: 2,
        value: { what: `hear of ${cache.name}`, act: () => cache.deliver(1 + dice.below(cache.behind())) },
      })),
    ...kubelet.steps().map((value) => ({ weight: 2, value })),
    { weight: 0.3, value: { what: "collect garbage", act: () => void api.collectOrphan([RUNS, PODS]) } },
  ];

  const afterStep = async (): Promise<void> => {
    await turns.settled();
    if (!operator.self.alive) {
      operator.end();
      await turns.settled();
      tell("the operator is started anew");
      operator = startOperator();
      await turns.settled();
    }
    await oracles.check();
    if (broken.length > 0)
      throw new Violation(`${broken.join("\n")}\n--- what happened last ---\n${told.slice(-80).join("\n")}`);
  };

  const world = {
    api,
    clock,
    cloud,
    dice,
    kubelet,
    moments,
    store,
    told,
    turns,
    writes,
    tell,
    history,
    operator: () => operator,
    violated,
    environment: (namespace: string, name: string) =>
      api.find<Environment & { metadata: { uid: string } }>(ENVIRONMENTS.plural, namespace, name) as unknown as
        | Environment
        | undefined,
    setWeather(next: Weather): void {
      weather = next;
    },
    setGatewayAway(away: boolean): void {
      gatewayAway = away;
      tell(away ? "the gateway is away" : "the gateway is back");
    },
    setRefusePods(refused: boolean): void {
      refusePods = refused;
      tell(refused ? "pods are refused" : "pods are admitted");
    },
    restartOperator: () => operator.self.kill(),
    /** One thing happens; false where nothing can but the passing of time. */
    async step(): Promise<boolean> {
      await afterStep();
      const possible = choices();
      const chosen = dice.weighted(possible);
      // Nothing but an idle garbage collector is left.
      if (possible.length === 1 && !api.collectOrphan([RUNS, PODS])) return false;
      if (possible.length > 1) chosen?.act();
      await afterStep();
      return true;
    },
    /** Until nothing can happen but the passing of time. */
    async rest(mostSteps = 20_000): Promise<void> {
      for (let steps = 0; await world.step(); steps += 1)
        if (steps > mostSteps) throw new Violation(`the world never rests\n${told.slice(-80).join("\n")}`);
    },
    async end(): Promise<void> {
      operator.end();
      gatewaySelf.kill();
      for (const uid of kubelet.running()) kubelet.kill(uid, "the world ends");
      await turns.settled();
    },
  };
  return world;
}

export type World = ReturnType<typeof createWorld>;

/** What a round may fail with when the world is bad; anything else is a bug. */
function isExpected(error: unknown): boolean {
  return (
    error instanceof ApiError ||
    error instanceof ApiUnreachable ||
    error instanceof Killed ||
    error instanceof RecordConflict ||
    isRefused(error) ||
    (error instanceof Error && error.message.startsWith("a foreign pod"))
  );
}
