import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { keepErroredState, recoverErroredState } from "../../../runner/agent/errored-state.ts";
import { GatewayClient } from "../../../runner/agent/gateway-client.ts";
import { Spool } from "../../../runner/agent/spool.ts";
import { StateRelay } from "../../../runner/agent/state-relay.ts";
import { type StateServer, startStateServer } from "../../../runner/agent/state-server.ts";
import { aWorkOrder, type FakeGateway, startGateway } from "../../fakes/gateway.ts";

const aState = (serial: number, lineage = "one") =>
  Buffer.from(JSON.stringify({ version: 4, lineage, serial, terraform_version: "1.12.6", outputs: {}, resources: [] }));

/** As the state, and as a recovery copy. */
const refuseStates = (request: string) =>
  request === "POST /v1/state" || request === "PUT /v1/recovery" ? "StateOwnedByOther" : undefined;

const lockInfo = (id: string) => ({
  ID: id,
  Operation: "apply",
  Info: "",
  Who: "",
  Version: "",
  Created: "",
  Path: "",
});

describe("the state between engine and store", () => {
  let root = "";
  let gateway: FakeGateway;
  let client: GatewayClient;
  let relay: StateRelay;
  let server: StateServer;

  let told: boolean[] = [];
  const newRelay = (folder = "state", patienceMs = 50) =>
    new StateRelay({
      gateway: client,
      folder: join(root, folder),
      onAway: () => {},
      onUnsaved: (isUnsaved) => void told.push(isUnsaved),
      patienceMs,
      refusedWaitMs: 20,
    });
  /** From now on the engine waits for the gateway's own word, however long that takes. */
  const bePatient = async (): Promise<void> => {
    await server.close();
    relay = newRelay("state", 60_000);
    server = await startStateServer({ relay, port: 0, username: "engine", password: "secret" });
  };
  const ask = (method: string, query = "", body?: Buffer | string) =>
    fetch(`http://127.0.0.1:${server.port}/state${query}`, {
      method,
      headers: { authorization: `Basic ${btoa("engine:secret")}` },
      ...(body === undefined ? {} : { body: body.toString() }),
    });

  beforeEach(async () => {
    told = [];
    root = mkdtempSync(join(tmpdir(), "state-"));
    writeFileSync(join(root, "token"), "a token");
    gateway = await startGateway(aWorkOrder());
    client = new GatewayClient({
      url: gateway.url,
      ca: undefined,
      tokenFile: join(root, "token"),
      claim: { run: "r", namespace: "n", phase: "Plan" },
    });
    relay = newRelay();
    server = await startStateServer({ relay, port: 0, username: "engine", password: "secret" });
  });
  afterEach(async () => {
    // A relay that still holds something tries for as long as the process lives.
    gateway.memory.away = false;
    gateway.memory.refuse = () => undefined;
    await relay.drained();
    await server.close();
    client.close();
    await gateway.close();
    rmSync(root, { recursive: true });
  });

  it("tells that a state is only here as long as the gateway does not take it, and says nothing of one that it takes", async () => {
    await ask("LOCK", "", JSON.stringify(lockInfo("L1")));
    const patient = newRelay("patient", 60_000);
    assert.equal((await patient.write("L1", aState(1))).end, "stored");
    assert.deepEqual(told, []);
    gateway.memory.away = true;
    await ask("POST", "?ID=L1", aState(2));
    await delay(100);
    assert.deepEqual(told, [true]);
    gateway.memory.away = false;
    await relay.drained();
    assert.deepEqual(told, [true, false]);
  });

  it("tells so at once of what an agent before it has left: no other word may come first", async () => {
    await ask("LOCK", "", JSON.stringify(lockInfo("L1")));
    gateway.memory.away = true;
    await ask("POST", "?ID=L1", aState(1));
    told = [];
    const next = newRelay("state", 60_000);
    await next.open();
    assert.deepEqual(told, [true]);
    gateway.memory.away = false;
    await next.drained();
    assert.equal(told.at(-1), false);
  });

  it("passes lock, state and unlock through", async () => {
    assert.equal((await ask("GET")).status, 204);
    assert.equal((await ask("LOCK", "", JSON.stringify(lockInfo("L1")))).status, 200);
    assert.equal((await ask("POST", "?ID=L1", aState(1))).status, 200);
    assert.equal(await (await ask("GET")).text(), aState(1).toString());
    assert.equal((await ask("UNLOCK", "", JSON.stringify(lockInfo("L1")))).status, 200);
    await relay.drained();
    assert.ok(gateway.memory.state?.equals(aState(1)));
    assert.equal(gateway.memory.lock, undefined);
    assert.deepEqual(readdirSync(join(root, "state")), []);
  });

  it("asks for its password", async () => {
    assert.equal((await fetch(`http://127.0.0.1:${server.port}/state`)).status, 401);
  });

  it("answers 423 with the holder when somebody else has the lock", async () => {
    gateway.memory.lock = lockInfo("theirs");
    const answer = await ask("LOCK", "", JSON.stringify(lockInfo("mine")));
    assert.equal(answer.status, 423);
    assert.equal(((await answer.json()) as { ID: string }).ID, "theirs");
  });

  it("takes states while the gateway is away, the newest wins, and the lock goes last", async () => {
    await ask("LOCK", "", JSON.stringify(lockInfo("L1")));
    gateway.memory.away = true;
    for (const serial of [1, 2, 3]) assert.equal((await ask("POST", "?ID=L1", aState(serial))).status, 200);
    assert.equal((await ask("UNLOCK", "", JSON.stringify(lockInfo("L1")))).status, 200);
    assert.equal(await (await ask("GET")).text(), aState(3).toString(), "the engine reads what it wrote");
    gateway.memory.away = false;
    await relay.drained();
    assert.ok(gateway.memory.state?.equals(aState(3)));
    assert.equal(gateway.memory.lock, undefined);
    assert.deepEqual(gateway.memory.requests.filter((one) => one.includes("DELETE")).length, 1);
  });

  it("sends after a restart what the agent before had taken", async () => {
    await ask("LOCK", "", JSON.stringify(lockInfo("L.1/x")));
    gateway.memory.away = true;
    await relay.write("L.1/x", aState(5));
    // The first relay lives on in this process, with a disk of its own.
    cpSync(join(root, "state"), join(root, "state-after"), { recursive: true });
    const next = newRelay("state-after");
    await next.open();
    assert.ok((await next.read())?.equals(aState(5)));
    gateway.memory.away = false;
    await next.drained();
    assert.ok(gateway.memory.state?.equals(aState(5)));
  });

  it("tells the engine about a refusal, and keeps the refused state as a recovery copy", async () => {
    await bePatient();
    await ask("LOCK", "", JSON.stringify(lockInfo("L1")));
    gateway.memory.state = aState(9);
    const answer = await ask("POST", "?ID=L1", aState(4));
    assert.equal(answer.status, 409);
    assert.ok(gateway.memory.recovery?.equals(aState(4)));
    assert.equal(relay.refusal?.code, "SerialWentBack");
  });

  it("gives up no state that the engine believes to be taken, whatever the gateway refuses", async () => {
    await ask("LOCK", "", JSON.stringify(lockInfo("L1")));
    gateway.memory.away = true;
    assert.equal((await ask("POST", "?ID=L1", aState(4))).status, 200);
    let refusals = 3;
    gateway.memory.refuse = (request) => {
      if (request === "POST /v1/state") return "StateOwnedByOther";
      return request === "PUT /v1/recovery" && refusals-- > 0 ? "StoreCorrupt" : undefined;
    };
    gateway.memory.away = false;
    await relay.drained();
    assert.ok(gateway.memory.recovery?.equals(aState(4)));
    assert.deepEqual(readdirSync(join(root, "state")), []);
  });

  it("tells of a state that is refused, even as a recovery copy, until a later one is safe: the engine has it, and no other", async () => {
    await bePatient();
    await ask("LOCK", "", JSON.stringify(lockInfo("L1")));
    gateway.memory.refuse = refuseStates;
    assert.equal((await ask("POST", "?ID=L1", aState(1))).status, 409);
    assert.deepEqual(told, [true]);
    gateway.memory.refuse = () => undefined;
    assert.equal((await ask("POST", "?ID=L1", aState(2))).status, 200);
    assert.deepEqual(told, [true, false]);
  });

  it("does not take a lost answer for a refusal", async () => {
    await ask("LOCK", "", JSON.stringify(lockInfo("L1")));
    gateway.memory.state = aState(1);
    gateway.memory.refuse = (request) => (request === "POST /v1/state" ? "SerialWentBack" : undefined);
    assert.equal((await ask("POST", "?ID=L1", aState(1))).status, 200);
    assert.equal(relay.refusal, undefined);
  });

  it("never answers 5xx while the store does not", async () => {
    let refusals = 3;
    gateway.memory.refuse = () => (refusals-- > 0 ? "StoreUnavailable" : undefined);
    assert.equal((await ask("GET")).status, 204);
  });

  describe("errored.tfstate", () => {
    let unsaved: boolean[] = [];
    const tools = () => ({
      out: root,
      gateway: client,
      spool: new Spool(join(root, "spool")),
      say: () => {},
      onUnsaved: (isUnsaved: boolean) => void unsaved.push(isUnsaved),
      firstWaitMs: 20,
    });
    const recover = () => recoverErroredState(root, { ...tools(), relay });
    const leave = (state: Buffer) => writeFileSync(join(root, "errored.tfstate"), state);

    it("becomes the state when it follows the stored one", async () => {
      gateway.memory.state = aState(1);
      leave(aState(2));
      assert.deepEqual(await recover(), { end: "stored" });
      assert.ok(gateway.memory.recovery?.equals(aState(2)));
      assert.ok(gateway.memory.state.equals(aState(2)));
      assert.equal(gateway.memory.lock, undefined);
    });

    it("is kept when it belongs to another lineage", async () => {
      gateway.memory.state = aState(1, "other");
      leave(aState(2));
      assert.equal((await recover()).end, "kept");
      assert.ok(gateway.memory.recovery?.equals(aState(2)));
      assert.ok(gateway.memory.state.equals(aState(1, "other")));
    });

    it("is offered until the gateway takes it, and not given up meanwhile", async () => {
      gateway.memory.state = aState(1, "other");
      leave(aState(2));
      let refusals = 3;
      gateway.memory.refuse = (request) => (request === "PUT /v1/recovery" && refusals-- > 0 ? "TooLarge" : undefined);
      unsaved = [];
      assert.equal((await recover()).end, "kept");
      assert.deepEqual([unsaved[0], unsaved.at(-1)], [true, false]);
      assert.ok(gateway.memory.recovery?.equals(aState(2)));
    });

    it("is told to be only here while the store takes nothing, and to be safe when it has taken it", async () => {
      gateway.memory.state = aState(1);
      leave(aState(2));
      let outages = 2;
      gateway.memory.refuse = (request) =>
        request === "PUT /v1/recovery" && outages-- > 0 ? "StoreUnavailable" : undefined;
      unsaved = [];
      assert.equal((await recover()).end, "stored");
      assert.deepEqual(unsaved, [true, false]);
    });

    it("is told to be only here before it is sent: an answer may take long", async () => {
      leave(aState(2));
      let before: boolean[] = [];
      gateway.memory.refuse = (request) => {
        if (request === "PUT /v1/recovery") before = [...unsaved];
        return undefined;
      };
      unsaved = [];
      await recover();
      assert.deepEqual([before, unsaved], [[true], [true, false]]);
    });

    it("is not offered again by an agent that was restarted, unless it is another one", async () => {
      leave(aState(2));
      await keepErroredState(root, tools());
      gateway.memory.recovery = undefined;
      assert.ok((await keepErroredState(root, tools()))?.equals(aState(2)));
      assert.equal(gateway.memory.recovery, undefined);
      leave(aState(3));
      await keepErroredState(root, tools());
      assert.ok(aState(3).equals(gateway.memory.recovery ?? Buffer.alloc(0)));
    });

    for (const [what, prepare] of [
      ["says it all of what the engine was refused before", () => leave(aState(2))],
      ["is not missed where the engine did not live to leave it: the agent has what was refused", () => {}],
    ] as const) {
      it(what, async () => {
        await bePatient();
        gateway.memory.state = aState(1, "other");
        gateway.memory.refuse = refuseStates;
        await ask("POST", "?ID=L1", aState(2));
        gateway.memory.refuse = () => undefined;
        prepare();
        assert.equal((await recover()).end, "kept");
        assert.ok(gateway.memory.recovery?.equals(aState(2)));
        assert.deepEqual(told, [true, false]);
        assert.deepEqual(await recoverErroredState(mkdtempSync(join(root, "empty-")), { ...tools(), relay }), {
          end: "none",
        });
      });
    }

    it("is the state when the gateway has made its copy the state", async () => {
      gateway.memory.state = aState(2);
      gateway.memory.lock = lockInfo("of an agent that died");
      leave(aState(2));
      assert.deepEqual(await recover(), { end: "stored" });
    });

    it("is nothing where there is none", async () => {
      assert.deepEqual(await recover(), { end: "none" });
    });
  });
});
