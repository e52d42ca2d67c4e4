import { createHash } from "node:crypto";
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
import { watchApprovals } from "./world-approvals.ts";
import { awakeOracle } from "./world-awake.ts";
import { watchBasis } from "./world-basis.ts";
import { type Choice, choicesOf } from "./world-choices.ts";
import { worldClient } from "./world-client.ts";
import { worldClock } from "./world-clock.ts";
import { createCloud } from "./world-cloud.ts";
import { type Dice, diceFrom } from "./world-dice.ts";
import { specHistory } from "./world-expectation.ts";
import { worldGateway } from "./world-gateway.ts";
import { createHands } from "./world-hands.ts";
import { createIncidents } from "./world-incidents.ts";
import { createKubelet } from "./world-kubelet.ts";
import { type OperatorProcess, startOperatorProcess } from "./world-operator.ts";
import { createOracles } from "./world-oracles.ts";
import { watchStatuses } from "./world-statuses.ts";
import { worldStore } from "./world-store.ts";
import { watchTimes } from "./world-times.ts";
import { createTurns, type Fate, Killed, type Mortal, type Turn } from "./world-turns.ts";
import { createSky } from "./world-weather.ts";

/** A promise was broken. The last lines of what happened are in the message. */
export class Violation extends Error {
  override readonly name = "Violation";
}

export interface WorldOptions {
  readonly seed: number;
  readonly maxRuns?: number;
  /** Decides about single requests instead of the weather. */
  readonly fateOf?: (turn: Turn) => Fate | undefined;
  /** Names of incidents that do not happen this time. */
  readonly without?: ReadonlySet<string>;
}

const LAST_LINES = 80;

/**
 * The operator's real controllers, gateway handlers and store rules in a world of memory: API server, kubelets, engines and a cloud. Everything that
 * may happen next is one step; a seed repeats all of it.
 */
export function createWorld({ seed, maxRuns = 10, fateOf, without }: WorldOptions) {
  const dice: Dice = diceFrom(seed);
  const incidents = createIncidents(without);
  const turns = createTurns();
  const clock = worldClock();
  const api = createWorldApi(clock);
  const history = specHistory();
  const told: string[] = [];
  const broken: string[] = [];
  const writes: string[] = [];
  const pods = new Set<Mortal>();
  const sky = createSky(seed, incidents, ({ sender }) => pods.has(sender));
  let gatewayAway = false;
  let refusePods = false;
  let steps = 0;
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
  const store = worldStore(turns, (sender, what) => {
    if (sender !== gateway.self) writes.push(what);
    tell(`${sender.name}: ${what}`);
  });
  const cloud = createCloud(violated);
  const hands = createHands({ api, store, turns, clock, tell, violated });
  const staysAwake = awakeOracle(() => store.versions.at(-1) ?? [], hands);
  const oracles = createOracles({ api, store, cloud, clock, history, hands, staysAwake, violated });
  const moments = watchStatuses({ api, cloud, clock, staysAwake, violated });
  const approvals = watchApprovals(api, clock, history, violated);
  const basis = watchBasis({ api, cloud, clock, history, hands, violated });
  const times = watchTimes({ api, clock, history, violated });
  const admit = (resource: { readonly kind: string }): void => {
    if (refusePods && resource.kind === "Pod")
      throw new ApiError({ request: "create Pod", status: 403, reason: "Forbidden", message: "exceeded quota" });
  };

  const startGateway = () => {
    const self = turns.mortal("gateway");
    const onWrite = (what: string) => tell(`gateway: ${what}`);
    const manager = "terrarium-gateway";
    const doors = worldGateway({
      client: worldClient({ api, turns, sender: self, manager, gatedReads: false, onWrite }),
      store: store.seenBy(self),
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
    return { self, doors };
  };
  let gateway = startGateway();

  const runPod = (pod: Stored<Pod>, self: Mortal, ending: () => boolean): Promise<void> => {
    const { uid, name, namespace = "" } = pod.metadata;
    const run = pod.metadata.labels?.[LABELS.run] ?? "";
    pods.add(self);
    tell(`kubelet: ${name} runs`);
    if (name.endsWith("-a")) for (const oracle of [approvals, basis]) oracle.begins(run);
    return runAgent({
      self,
      phase: name.endsWith("-a") ? "Apply" : "Plan",
      onApply: (...what) => [approvals, basis, times, hands].forEach((one) => void one.applies(...what)),
      pod: { uid, name, namespace, run },
      gateway: {
        claim: (...request) => gateway.doors.claim(...request),
        send: (...request) => gateway.doors.send(...request),
      },
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
      tell(`${self.name}: ${what}`);
    };
    return startOperatorProcess({
      api,
      clock,
      random: dice.fraction,
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
        if (isExpected(error)) tell(`${self.name}: a round failed: ${String(error)}`);
        else violated(`a round failed: ${error instanceof Error ? error.stack : String(error)}`);
      },
    });
  };
  let operator = startOperator();
  const collectGarbage = (): boolean => api.collectOrphan([RUNS, PODS]);
  const frozen: OperatorProcess[] = [];
  /** Everything that may happen next, time apart. */
  const choices = (): readonly Choice[] =>
    choicesOf({
      turns: turns.waiting(),
      caches: operator.caches,
      pods: kubelet.steps(),
      fateOf: (turn) => fateOf?.(turn) ?? sky.fateOf(turn),
      dice,
      collectGarbage,
    });

  const replaceTheDead = async (): Promise<void> => {
    await turns.settled();
    if (!gateway.self.alive) {
      tell("the gateway is started anew");
      gateway = startGateway();
      await turns.settled();
    }
    if (operator.self.alive) return;
    operator.end();
    await turns.settled();
    tell("the operator is started anew");
    operator = startOperator();
    await turns.settled();
  };
  const isDead = () => !operator.self.alive || !gateway.self.alive;
  /** Whatever people and the clock have set off since the last step. */
  const isDisturbed = () => turns.isBusy() || operator.ready() > 0 || isDead() || broken.length > 0;
  const afterStep = async (): Promise<void> => {
    await replaceTheDead();
    hands.check();
    await oracles.check();
    if (broken.length > 0)
      throw new Violation(`${broken.join("\n")}\n--- what happened last ---\n${told.slice(-LAST_LINES).join("\n")}`);
  };

  const world = {
    api,
    clock,
    cloud,
    dice,
    seed,
    incidents,
    kubelet,
    moments,
    store,
    told,
    turns,
    writes,
    tell,
    history,
    hands,
    operator: () => operator,
    violated,
    environment: (namespace: string, name: string) =>
      api.find<Environment & { metadata: { uid: string } }>(ENVIRONMENTS.plural, namespace, name) as unknown as
        | Environment
        | undefined,
    setWeather: sky.become,
    setGatewayAway(away: boolean): void {
      gatewayAway = away;
      tell(away ? "the gateway is away" : "the gateway is back");
    },
    setRefusePods(refused: boolean): void {
      refusePods = refused;
      tell(refused ? "pods are refused" : "pods are admitted");
    },
    restartOperator: () => operator.self.kill(),
    restartGateway: () => gateway.self.kill(),
    /** The leader is stopped like a machine that sleeps; another one takes over, and what the old one had sent arrives late. */
    freezeOperator(): void {
      tell(`${operator.self.name} is frozen, and another one leads`);
      operator.freeze();
      frozen.push(operator);
      operator = startOperator();
    },
    /** One thing happens; false where nothing can but the passing of time. */
    async step(): Promise<boolean> {
      steps += 1;
      if (isDisturbed()) await afterStep();
      const possible = choices();
      const chosen = dice.weighted(possible);
      // Nothing but an idle garbage collector is left.
      if (possible.length === 1 && !collectGarbage()) return false;
      if (possible.length > 1) chosen?.();
      await afterStep();
      return true;
    },
    /** Until nothing can happen but the passing of time. */
    async rest(mostSteps = 20_000): Promise<void> {
      for (let steps = 0; await world.step(); steps += 1)
        if (steps > mostSteps) throw new Violation(`the world never rests\n${told.slice(-LAST_LINES).join("\n")}`);
    },
    steps: () => steps,
    /** What tells two stories apart: all that happened, in order. */
    trace: (): string => createHash("sha256").update(told.join("\n")).digest("hex"),
    async end(): Promise<void> {
      for (const process of [operator, ...frozen]) process.end();
      gateway.self.kill();
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
