import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryUsage } from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { type Gateway, startGateway } from "../../../operator/gateway/gateway.ts";
import { systemClock } from "../../../operator/loop/clock.ts";
import { createKeyRing, newKeyMaterial } from "../../../operator/storage/key-ring.ts";
import { createSecretStore } from "../../../operator/storage/secret-store.ts";
import { GatewayClient, GatewayRefused } from "../../../runner/agent/gateway-client.ts";
import { StateRelay } from "../../../runner/agent/state-relay.ts";
import { fakeKubeClient } from "../../fakes/kube-client.ts";
import { aState } from "../storage/claimants.ts";
import { aHostileState } from "../storage/hostile-state.ts";
import { type GatewayWorld, gatewayWorld, NAMESPACE, OPERATOR_NAMESPACE, untilApplying } from "./gateway-world.ts";

const MIB = 1024 * 1024;
const LIMITS = { stateBytes: 24 * MIB, inFlightBytes: 48 * MIB };

const execute = promisify(execFile);

const aLargeState = (bytes: number, serial = 1) =>
  aState({ serial, resources: ["vpc"], padding: "x".repeat(bytes - 512) });

/** What others heard of the event loop while `work` went on: how often they had a turn, and how much the heap held at most. */
async function beside<T>(
  work: Promise<T>,
): Promise<{ readonly result: T; readonly turns: number; readonly heap: number }> {
  let turns = 0;
  let heap = 0;
  const look = setInterval(() => {
    turns += 1;
    heap = Math.max(heap, memoryUsage().heapUsed);
  }, 1);
  const result = await work.finally(() => clearInterval(look));
  return { result, turns, heap };
}

describe("large states", function () {
  this.timeout(120_000);
  let world: GatewayWorld;
  let told: string[];
  beforeEach(async () => {
    told = [];
    world = await gatewayWorld({
      limits: LIMITS,
      tell: (_run, reason, message) => void told.push(`${reason}: ${message}`),
    });
  });
  afterEach(() => world.close());

  async function aWriter(component: string) {
    const run = world.aRun(component, 1);
    const { json } = await world.claim(world.aPod(run), run);
    const ask = (method: string, path: string, body?: Buffer | object) =>
      world.call(world.gateway, method, path, String(json.session), body);
    await untilApplying(ask);
    await ask("PUT", "/v1/state/lock", { ID: "mine" });
    return { ask, write: (state: Buffer) => ask("POST", "/v1/state?ID=mine", state) };
  }

  it("of many small values, just below the limit, stop nobody and fill no memory", async () => {
    const { write } = await aWriter("network");
    const state = aHostileState(LIMITS.stateBytes);
    const before = memoryUsage().heapUsed;
    const { result, turns, heap } = await beside(write(state));
    assert.equal(result.status, 204);
    // As a tree it has 800 MiB.
    assert.ok(heap - before < 200 * MIB, `${Math.round((heap - before) / MIB)} MiB of heap`);
    assert.ok(turns > 10, `others had ${turns} turns`);
  });

  it("of many small values fit into little memory, and so does the end of their Run", async () => {
    const program = join(import.meta.dirname, "hostile-runner.ts");
    const args = ["--max-old-space-size=192", program, String(LIMITS.stateBytes)];
    const { stdout } = await execute(process.execPath, args);
    assert.equal(stdout.trim(), "204 204");
  });

  it("above the limit are refused with size, limit and what to do, and the Run tells so", async () => {
    const { write } = await aWriter("network");
    const { status, json } = await write(aLargeState(25 * MIB));
    assert.equal(status, 413);
    const { code, message } = json.error as { code: string; message: string };
    assert.equal(code, "TooLarge");
    assert.match(message, /the state has 25 MiB, and at most 24 MiB are taken: raise states\.maxMiB/);
    assert.deepEqual(told, [`TooLarge: ${message}`]);
  });

  it("of two runners at once are not both in memory: the second comes again", async () => {
    const [one, other] = [await aWriter("network"), await aWriter("database")];
    const third = await aWriter("cache");
    const state = aLargeState(23 * MIB);
    const sent = await Promise.all(
      [one, other, third].map(({ write }) =>
        write(state).then(
          ({ status }) => status,
          () => 503,
        ),
      ),
    );
    assert.deepEqual([...new Set(sent)].sort(), [204, 503]);
    for (const { write } of [one, other, third]) assert.equal((await write(state)).status, 204);
  });

  it("that are read count as well", async () => {
    const { ask, write } = await aWriter("network");
    assert.equal((await write(aLargeState(23 * MIB))).status, 204);
    const read = await Promise.all(Array.from({ length: 3 }, () => ask("GET", "/v1/state")));
    assert.deepEqual([...new Set(read.map(({ status }) => status))].sort(), [200, 503]);
    assert.equal((await ask("GET", "/v1/state")).status, 200);
  });
});

describe("the room for large states", function () {
  this.timeout(60_000);

  /** A gateway whose store takes its time with a record where it is told to, and somebody who has stored a state of 20 MiB there. */
  async function aRoom(limits: { readonly stillMs?: number } = {}) {
    const client = fakeKubeClient();
    const ring = createKeyRing(newKeyMaterial());
    const store = createSecretStore({ client, namespace: OPERATOR_NAMESPACE, ring });
    const look = { before: async (): Promise<void> => {} };
    const slow: typeof store = {
      ...store,
      record: async (...question) => {
        await look.before();
        return store.record(...question);
      },
    };
    const world = await gatewayWorld({ client, ring, store: slow, limits: { ...LIMITS, ...limits } });
    const run = world.aRun("network", 1);
    const { json } = await world.claim(world.aPod(run), run);
    const session = String(json.session);
    const ask = (method: string, path: string, body?: Buffer | object) =>
      world.call(world.gateway, method, path, session, body);
    await untilApplying(ask);
    await ask("PUT", "/v1/state/lock", { ID: "mine" });
    assert.equal((await ask("POST", "/v1/state?ID=mine", aLargeState(20 * MIB))).status, 204);
    /** A reader of the state, on a connection of its own. */
    const aReader = () =>
      request(new URL("/v1/state", world.gateway.url), {
        headers: { authorization: `Bearer ${session}` },
        ca: world.gateway.caPem(),
        agent: false,
      })
        .on("error", () => {})
        .end();
    return { world, ask, look, aReader };
  }

  it("is given back by whoever goes away while the record is looked up", async () => {
    const { world, ask, look, aReader } = await aRoom();
    try {
      for (let reader = 0; reader < 3; reader += 1) {
        const looked = Promise.withResolvers<void>();
        const gone = Promise.withResolvers<void>();
        look.before = () => {
          looked.resolve();
          return gone.promise;
        };
        const leaving = aReader();
        await looked.promise;
        leaving.destroy();
        await delay(50);
        look.before = async () => {};
        gone.resolve();
        await delay(50);
      }
      assert.equal((await ask("GET", "/v1/state")).status, 200);
    } finally {
      await world.close();
    }
  });

  it("is given back for somebody who stands still and reads no more", async () => {
    const { world, ask, aReader } = await aRoom({ stillMs: 1000 });
    try {
      for (let reader = 0; reader < 2; reader += 1) {
        const [answer] = (await once(aReader(), "response")) as [IncomingMessage];
        answer.pause().on("error", () => {});
      }
      assert.equal((await ask("GET", "/v1/state")).status, 503);
      while ((await ask("GET", "/v1/state")).status !== 200) await delay(100);
    } finally {
      await world.close();
    }
  });

  it("is not what keeps a Run from its end whose outputs are too many: the state is stored, and the end says what to do", async () => {
    const { world, ask } = await aRoom();
    try {
      const values = `"outputs":{"all":{"value":[${"[],".repeat(500_000)}[]]}}`;
      const state = aState({ serial: 2, resources: ["vpc"] })
        .toString()
        .replace(/"outputs":\{[^}]*\}/, values);
      assert.ok(state.includes("[],[]"));
      assert.equal((await ask("POST", "/v1/state?ID=mine", Buffer.from(state))).status, 204);
      const outcome = { result: "Applied", reason: "Applied", message: "the plan was applied" };
      assert.equal((await ask("POST", "/v1/result", { outcome, outputs: [] })).status, 204);
      const record = await world.store.record({ namespace: NAMESPACE, environment: "shop", component: "network" });
      const { lastResult, state: head } = record?.value ?? {};
      assert.equal(head?.serial, 2);
      assert.deepEqual([lastResult?.outcome.result, lastResult?.outcome.reason], ["Failed", "ApplyFailed"]);
      assert.match(
        lastResult?.outcome.message ?? "",
        /the state is stored, but the outputs of the state hold more than/,
      );
    } finally {
      await world.close();
    }
  });
});

describe("a state that an engine has made, and that is above the limit", function () {
  this.timeout(120_000);

  it("stays in its pod, and is stored when the limit is raised", async () => {
    const folder = mkdtempSync(join(tmpdir(), "terrarium-large-"));
    const world = await gatewayWorld({ limits: LIMITS });
    const { client, store, ring } = world;
    const run = world.aRun("network", 1);
    const tokenFile = join(folder, "token");
    const pod = world.aPod(run);
    writeFileSync(tokenFile, pod.token);
    const { json } = await world.claim(pod, run);
    await untilApplying((method, path, body) => world.call(world.gateway, method, path, String(json.session), body));
    const { url, caPem } = world.gateway;
    const claim = { namespace: NAMESPACE, run: run.metadata.name, phase: "Plan" } as const;
    const gateway = new GatewayClient({ url, ca: caPem(), tokenFile, claim, timeoutMs: 60_000 });
    const said: string[] = [];
    const onAway = (message: string) => void said.push(message);
    const relay = new StateRelay({ gateway, folder, onAway, patienceMs: 1, refusedWaitMs: 500 });
    let raised: Gateway | undefined;
    try {
      await gateway.lock({ ID: "mine", Operation: "", Info: "", Who: "", Version: "", Created: "", Path: "" });
      const state = aLargeState(25 * MIB);
      const isTooLarge = (error: unknown) => error instanceof GatewayRefused && error.code === "TooLarge";
      await assert.rejects(gateway.postState("mine", state), isTooLarge);
      assert.equal((await relay.write("mine", state)).end, "spooled");
      while (!said.some((message) => message.includes("raise states.maxMiB"))) await delay(20);
      await world.gateway.close();
      raised = await startGateway({
        client,
        store,
        ring,
        namespace: OPERATOR_NAMESPACE,
        hosts: ["127.0.0.1"],
        listen: { host: "127.0.0.1", port: Number(new URL(url).port) },
        digestOfApplied: () => "digest",
        clock: systemClock,
        log: { info: () => {}, error: () => {} },
        limits: { ...LIMITS, stateBytes: 32 * MIB },
      });
      await relay.drained();
      const key = { namespace: NAMESPACE, environment: "shop", component: "network" };
      const head = (await store.record(key))?.value.state;
      assert.deepEqual([head?.serial, head?.blob.size], [1, state.length]);
    } finally {
      gateway.close();
      await Promise.all([raised?.close(), world.close()]);
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
