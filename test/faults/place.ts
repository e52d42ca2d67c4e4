import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { WatchTiming } from "../../operator/assembly/caches.ts";
import { judgeFor } from "../../operator/assembly/judge.ts";
import type { LeaseTiming } from "../../operator/assembly/leadership.ts";
import { createClient } from "../../operator/cluster/client.ts";
import type { Client } from "../../operator/cluster/ports.ts";
import { createTransport, type Transport } from "../../operator/cluster/transport.ts";
import { desiredDigestOf } from "../../operator/environment/digest.ts";
import { type Gateway, startGateway } from "../../operator/gateway/gateway.ts";
import { GATEWAY_FIELD_MANAGER } from "../../operator/gateway/run-status.ts";
import { systemClock } from "../../operator/loop/clock.ts";
import type { LiveKeyRing } from "../../operator/storage/key-ring.ts";
import { openKeyRing } from "../../operator/storage/keys.ts";
import { createSecretStore } from "../../operator/storage/secret-store.ts";
import { makeNamespace } from "../apiserver/engine-server.ts";
import { CATALOGUE } from "../fakes/objects.ts";
import type { Engines, EnginesParts } from "./engines.ts";
import { startKubelet } from "./kubelet.ts";
import { type Operator, startOperator } from "./operator.ts";
import { playedEngines } from "./played-engines.ts";
import { type Fate, type Line, type LineOptions, openLine, type Seen, type Weather } from "./proxy.ts";
import type { View } from "./sight.ts";
import { connectionTo, type Stage, stage } from "./stage.ts";

export interface Trouble {
  readonly fateOf?: (seen: Seen) => Fate;
  readonly watching?: LineOptions["watching"];
  readonly timing?: WatchTiming;
  /** From this write on, all requests meet the weather for so long. */
  readonly outage?: { readonly fromWrite: number; readonly ms: number; readonly weather: Weather };
  /** The operator works only while it holds a lease of such timing. */
  readonly lease?: LeaseTiming;
  /** Whom the API server takes operator and gateway for; asked when the namespaces are there, before anything is started. */
  readonly as?: (stage: Stage, namespaces: Namespaces) => Promise<string>;
  /** Told of everything that is said by any part. */
  readonly hear?: (line: string) => void;
  /** Told how many changes of real things there were: true kills the pod that made the last one. */
  readonly podDiesAt?: (changes: number) => boolean;
  readonly engines?: (parts: EnginesParts) => Engines;
}

export interface Namespaces {
  /** Of the Environment. */
  readonly namespace: string;
  /** Of the operator and its states. */
  readonly home: string;
}

/** One story's part of the shared API server: namespaces, gateway, pods, and an operator that is started anew whenever it is killed. */
export interface Place extends Namespaces {
  readonly stage: Stage;
  readonly client: Client;
  readonly engines: Engines;
  readonly view: View;
  /** What was said by all parts, for people who look for the cause of a failure. */
  readonly told: readonly string[];
  /** Every write of the operator's, with what became of it. */
  log(): readonly string[];
  writes(): number;
  /** Requests that an outage stopped. */
  turnedAway(): number;
  /** Throws when a promise of the operator's was broken so far. */
  unbroken(): void;
  /** Waits for it in all that the operator's world shows, and fails as soon as a promise is broken. */
  awaited(what: string, condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

const GOES: Fate = { type: "goes" };

export async function openPlace(trouble: Trouble, set?: Stage): Promise<Place> {
  const theStage = set ?? (await stage());
  const { api, client } = theStage;
  const namespace = `story-${randomUUID().slice(0, 8)}`;
  const home = `${namespace}-home`;
  for (const name of [namespace, home]) await makeNamespace(client, name);
  const told: string[] = [];
  const broken: string[] = [];
  const tell = (line: string) => {
    told.push(line);
    trouble.hear?.(line);
  };
  const violated = (what: string) => void broken.push(what);
  let changes = 0;
  const dies = () => {
    changes += 1;
    return trouble.podDiesAt?.(changes) ?? false;
  };
  const engines = (trouble.engines ?? playedEngines)({ tell, violated, dies });
  const sky = skyOf(trouble);
  const as = await trouble.as?.(theStage, { namespace, home });
  const way = { namespace, weather: sky.weather, ...(as === undefined ? {} : { as }) };
  const gatewayLine = await openLine(api, { ...way, fateOf: () => GOES, onKill: () => {} });
  const ring = await openKeyRing(client, home);
  const expectsErrors = trouble.as !== undefined || trouble.outage !== undefined;
  const connection = await connectionTo(gatewayLine.url);
  const transport = createTransport({ connection, clock: systemClock });
  const gateway = await startedAtLast(() => gatewayOn(transport, home, ring, expectsErrors ? tell : violated), tell);
  const kubelet = startKubelet({ stage: theStage, gateway, namespace, engines, tell });
  const lines: Line[] = [];
  let operator: Promise<Operator>;
  let ended = false;
  let writes = 0;
  const begin = async (): Promise<Operator> => {
    const before = writes;
    const line = await openLine(api, {
      ...way,
      fateOf(seen) {
        writes = before + seen.write;
        sky.pass(writes, () => [gatewayLine, ...lines].forEach((one) => void one.shake()));
        return trouble.fateOf?.({ ...seen, write: writes }) ?? GOES;
      },
      ...(trouble.watching === undefined ? {} : { watching: trouble.watching }),
      onKill: () => again("is killed"),
    });
    lines.push(line);
    return startOperator({
      url: line.url,
      ring,
      home,
      gatewayUrl: gateway.url,
      gatewayCa: gateway.caPem,
      timing: trouble.timing ?? {},
      ...(trouble.lease === undefined ? {} : { lease: trouble.lease }),
      onEnd: () => again("ends"),
      tell,
    });
  };
  const again = (how: string): void => {
    const dead = operator;
    if (ended) return;
    tell(`the operator ${how}`);
    operator = dead.then((one) => one.kill()).then(() => (ended ? dead : begin()));
  };
  operator = begin();
  await operator;
  const view = theStage.sight.of(namespace);
  const unbroken = () => assert.deepEqual(broken, []);
  return {
    stage: theStage,
    client,
    namespace,
    home,
    engines,
    view,
    told,
    unbroken,
    log: () => lines.flatMap(({ log }) => log),
    writes: () => writes,
    turnedAway: () => lines.reduce((sum, line) => sum + line.turnedAway(), 0),
    awaited: (what, condition) =>
      view.awaited(
        what,
        () => {
          unbroken();
          return condition();
        },
        60_000 + (trouble.outage?.ms ?? 0),
      ),
    async close() {
      ended = true;
      await (await operator).kill();
      await kubelet.stop();
      await engines.close();
      await gateway.close();
      await connection.close();
      for (const line of [gatewayLine, ...lines]) await line.close();
    },
  };
}

/** Fair until an outage begins, and after it has ended. */
function skyOf({ outage }: Trouble) {
  let weather: Weather = "fair";
  let isOver = outage === undefined;
  return {
    weather: () => weather,
    /** Told of each write before it meets its fate. */
    pass(write: number, shake: () => void): void {
      if (isOver || outage === undefined || write < outage.fromWrite) return;
      isOver = true;
      weather = outage.weather;
      shake();
      setTimeout(() => {
        weather = "fair";
      }, outage.ms);
    },
  };
}

/** A process that cannot begin says why and ends, and the kubelet starts it again. */
async function startedAtLast<T>(start: () => Promise<T>, tell: (line: string) => void): Promise<T> {
  const giveUpAt = performance.now() + 30_000;
  for (;;) {
    try {
      return await start();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
      tell(`the operator cannot begin: ${String(error)}`);
      await systemClock.sleep(200);
    }
  }
}

/** Plans are judged as in an installation; no story here has an expression. */
function judged(client: Client, transport: Transport, home: string, ring: LiveKeyRing) {
  const store = createSecretStore({ client: createClient(transport), namespace: home, ring });
  const evaluate = () => Promise.reject(new Error("no rule of these stories has an expression"));
  return { client, store, judge: judgeFor({ client, store, clock: systemClock, catalogue: CATALOGUE, evaluate }) };
}

/** That of another replica: it outlives the operators that are killed. */
const gatewayOn = (
  transport: Transport,
  home: string,
  ring: LiveKeyRing,
  complain: (what: string) => void,
): Promise<Gateway> =>
  startGateway({
    ...judged(createClient(transport, { fieldManager: GATEWAY_FIELD_MANAGER }), transport, home, ring),
    ring,
    namespace: home,
    hosts: ["127.0.0.1"],
    listen: { host: "127.0.0.1", port: 0 },
    digestOfApplied: (spec, revision) => desiredDigestOf(spec.inputsDigest, revision),
    clock: systemClock,
    log: { info: () => {}, error: (facts, message) => complain(`the gateway: ${message} ${JSON.stringify(facts)}`) },
  });
