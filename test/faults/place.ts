import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { WatchTiming } from "../../operator/assembly/caches.ts";
import type { LeaseTiming } from "../../operator/assembly/leadership.ts";
import type { Client } from "../../operator/cluster/ports.ts";
import { openKeyRing } from "../../operator/storage/keys.ts";
import { makeNamespace } from "../apiserver/engine-server.ts";
import type { Engines, EnginesParts } from "./engines.ts";
import { gatewayLives } from "./gateway-lives.ts";
import { startKubelet } from "./kubelet.ts";
import { type Lives, livesOf } from "./lives.ts";
import { startOperator } from "./operator.ts";
import { playedEngines } from "./played-engines.ts";
import { type Fate, type LineOptions, openLine, type Seen, type Weather } from "./proxy.ts";
import type { View } from "./sight.ts";
import { type Stage, stage } from "./stage.ts";

export interface Trouble {
  readonly fateOf?: (seen: Seen) => Fate;
  /** Of the gateway's writes and reviews, which are numbered on their own. */
  readonly gatewayFateOf?: (seen: Seen) => Fate;
  readonly watching?: LineOptions["watching"];
  readonly seeLie?: LineOptions["seeLie"];
  readonly timing?: WatchTiming;
  /** From this write on, all requests meet the weather for so long. */
  readonly outage?: { readonly fromWrite: number; readonly ms: number; readonly weather: Weather };
  /** The operator works only while it holds a lease of such timing. */
  readonly lease?: LeaseTiming;
  /** Runs that may have a pod at the same time; 20 unless told. */
  readonly mostAtOnce?: number;
  /** Whom the API server takes operator and gateway for; asked when the namespaces are there, before anything is started. */
  readonly as?: (stage: Stage, namespaces: Namespaces) => Promise<string>;
  /** Told of everything that is said by any part. */
  readonly hear?: (line: string) => void;
  /** Told of every request of the operator's, before it meets its fate. */
  readonly seeRequest?: (seen: Seen) => void;
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

/** One story's part of the shared API server: namespaces, pods, and an operator and a gateway that are started anew whenever they are killed. */
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
  readonly gateway: Pick<Lives, "log" | "writes">;
  /** Resolves when the next one has begun. */
  killOperator(): Promise<void>;
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
  const ring = await openKeyRing(client, home);
  const expectsErrors = trouble.as !== undefined || trouble.outage !== undefined;
  const gateway = await gatewayLives({
    home,
    ring,
    openLine: (ends) => openLine(api, { ...way, ...ends }),
    fateOf: (seen) => trouble.gatewayFateOf?.(seen) ?? GOES,
    complain: expectsErrors ? tell : violated,
    tell,
  });
  const kubelet = startKubelet({ stage: theStage, gateway, namespace, engines, tell });
  const { watching, seeLie, timing = {}, lease, mostAtOnce, seeRequest } = trouble;
  const operator = await livesOf({
    name: "operator",
    openLine: (ends) =>
      openLine(api, {
        ...way,
        ...ends,
        ...(watching === undefined ? {} : { watching }),
        ...(seeLie === undefined ? {} : { seeLie }),
        ...(seeRequest === undefined ? {} : { seeRequest }),
      }),
    fateOf(seen) {
      sky.pass(seen.write, () => [gateway, operator].forEach((one) => void one.shake()));
      return trouble.fateOf?.(seen) ?? GOES;
    },
    start: ({ url }, onEnd) =>
      startOperator({
        url,
        ring,
        home,
        gatewayUrl: gateway.url,
        gatewayCa: gateway.caPem,
        timing,
        ...(lease === undefined ? {} : { lease }),
        ...(mostAtOnce === undefined ? {} : { mostAtOnce }),
        onEnd,
        tell,
      }),
    tell,
  });
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
    log: operator.log,
    writes: operator.writes,
    turnedAway: operator.turnedAway,
    gateway: { log: gateway.log, writes: gateway.writes },
    killOperator: operator.kill,
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
      await operator.close();
      await kubelet.stop();
      await engines.close();
      await gateway.close();
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
