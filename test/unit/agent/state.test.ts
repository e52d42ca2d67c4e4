import assert from "node:assert/strict";
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { aState, lockInfo, refuseStates, statePlaces } from "./state-place.ts";

describe("the state between engine and store", () => {
  const aPlace = statePlaces();

  it("tells that a state is only here as long as the gateway does not take it, and says nothing of one that it takes", async () => {
    const { gateway, relay, told, newRelay, ask } = await aPlace();
    await ask("LOCK", "", JSON.stringify(lockInfo("L1")));
    const patient = newRelay("patient", 60_000);
    assert.equal((await patient.write("L1", aState(1))).end, "stored");
    assert.deepEqual(told, []);
    gateway.memory.away = true;
    await ask("POST", "?ID=L1", aState(2));
    await delay(100);
    assert.deepEqual(told, [true]);
    gateway.memory.away = false;
    await relay().drained();
    assert.deepEqual(told, [true, false]);
  });

  it("tells so at once of what an agent before it has left: no other word may come first", async () => {
    const { gateway, told, newRelay, ask } = await aPlace();
    await ask("LOCK", "", JSON.stringify(lockInfo("L1")));
    gateway.memory.away = true;
    await ask("POST", "?ID=L1", aState(1));
    told.length = 0;
    const next = newRelay("state", 60_000);
    await next.open();
    assert.deepEqual(told, [true]);
    gateway.memory.away = false;
    await next.drained();
    assert.equal(told.at(-1), false);
  });

  it("passes lock, state and unlock through", async () => {
    const { root, gateway, relay, ask } = await aPlace();
    assert.equal((await ask("GET")).status, 204);
    assert.equal((await ask("LOCK", "", JSON.stringify(lockInfo("L1")))).status, 200);
    assert.equal((await ask("POST", "?ID=L1", aState(1))).status, 200);
    assert.equal(await (await ask("GET")).text(), aState(1).toString());
    assert.equal((await ask("UNLOCK", "", JSON.stringify(lockInfo("L1")))).status, 200);
    await relay().drained();
    assert.ok(gateway.memory.state?.equals(aState(1)));
    assert.equal(gateway.memory.lock, undefined);
    assert.deepEqual(readdirSync(join(root, "state")), []);
  });

  it("takes no state before the engine is told to apply, and spools none: one that is only in a pod would keep it", async () => {
    const { gateway, relay, ask, beOnlyPlanning } = await aPlace();
    beOnlyPlanning();
    assert.equal((await ask("LOCK", "", JSON.stringify(lockInfo("L1")))).status, 200);
    gateway.memory.away = true;
    assert.equal((await ask("POST", "?ID=L1", aState(1))).status, 409);
    gateway.memory.away = false;
    assert.equal((await ask("UNLOCK", "", JSON.stringify(lockInfo("L1")))).status, 200);
    await relay().drained();
    assert.deepEqual(
      [gateway.memory.state, gateway.memory.recovery, relay().newest],
      [undefined, undefined, undefined],
    );
  });

  it("asks for its password", async () => {
    const { server } = await aPlace();
    assert.equal((await fetch(`http://127.0.0.1:${server().port}/state`)).status, 401);
  });

  it("answers 423 with the holder when somebody else has the lock", async () => {
    const { gateway, ask } = await aPlace();
    gateway.memory.lock = lockInfo("theirs");
    const answer = await ask("LOCK", "", JSON.stringify(lockInfo("mine")));
    assert.equal(answer.status, 423);
    assert.equal(((await answer.json()) as { ID: string }).ID, "theirs");
  });

  it("takes states while the gateway is away, the newest wins, and the lock goes last", async () => {
    const { gateway, relay, ask } = await aPlace();
    await ask("LOCK", "", JSON.stringify(lockInfo("L1")));
    gateway.memory.away = true;
    for (const serial of [1, 2, 3]) assert.equal((await ask("POST", "?ID=L1", aState(serial))).status, 200);
    assert.equal((await ask("UNLOCK", "", JSON.stringify(lockInfo("L1")))).status, 200);
    assert.equal(await (await ask("GET")).text(), aState(3).toString(), "the engine reads what it wrote");
    gateway.memory.away = false;
    await relay().drained();
    assert.ok(gateway.memory.state?.equals(aState(3)));
    assert.equal(gateway.memory.lock, undefined);
    assert.deepEqual(gateway.memory.requests.filter((one) => one.includes("DELETE")).length, 1);
  });

  it("sends after a restart what the agent before had taken", async () => {
    const { root, gateway, relay, newRelay, ask } = await aPlace();
    await ask("LOCK", "", JSON.stringify(lockInfo("L.1/x")));
    gateway.memory.away = true;
    await relay().write("L.1/x", aState(5));
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
    const { gateway, relay, bePatient, ask } = await aPlace();
    await bePatient();
    await ask("LOCK", "", JSON.stringify(lockInfo("L1")));
    gateway.memory.state = aState(9);
    const answer = await ask("POST", "?ID=L1", aState(4));
    assert.equal(answer.status, 409);
    assert.ok(gateway.memory.recovery?.equals(aState(4)));
    assert.equal(relay().refusal?.code, "SerialWentBack");
  });

  it("gives up no state that the engine believes to be taken, whatever the gateway refuses", async () => {
    const { root, gateway, relay, ask } = await aPlace();
    await ask("LOCK", "", JSON.stringify(lockInfo("L1")));
    gateway.memory.away = true;
    assert.equal((await ask("POST", "?ID=L1", aState(4))).status, 200);
    let refusals = 3;
    gateway.memory.refuse = (request) => {
      if (request === "POST /v1/state") return "StateOwnedByOther";
      return request === "PUT /v1/recovery" && refusals-- > 0 ? "StoreCorrupt" : undefined;
    };
    gateway.memory.away = false;
    await relay().drained();
    assert.ok(gateway.memory.recovery?.equals(aState(4)));
    assert.deepEqual(readdirSync(join(root, "state")), []);
  });

  it("tells of a state that is refused, even as a recovery copy, until a later one is safe: the engine has it, and no other", async () => {
    const { gateway, told, bePatient, ask } = await aPlace();
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
    const { gateway, relay, ask } = await aPlace();
    await ask("LOCK", "", JSON.stringify(lockInfo("L1")));
    gateway.memory.state = aState(1);
    gateway.memory.refuse = (request) => (request === "POST /v1/state" ? "SerialWentBack" : undefined);
    assert.equal((await ask("POST", "?ID=L1", aState(1))).status, 200);
    assert.equal(relay().refusal, undefined);
  });

  it("never answers 5xx while the store does not", async () => {
    const { gateway, ask } = await aPlace();
    let refusals = 3;
    gateway.memory.refuse = () => (refusals-- > 0 ? "StoreUnavailable" : undefined);
    assert.equal((await ask("GET")).status, 204);
  });
});
