import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keepErroredState, recoverErroredState } from "../../../runner/agent/errored-state.ts";
import { Spool } from "../../../runner/agent/spool.ts";
import { aState, lockInfo, refuseStates, statePlaces } from "./state-place.ts";

describe("errored.tfstate", () => {
  const aPlace = statePlaces();

  /** A file that the engine may leave, and an agent that looks for it. */
  async function leftBehind() {
    const place = await aPlace();
    const { root, client, relay } = place;
    const unsaved: boolean[] = [];
    const tools = () => ({
      out: root,
      gateway: client,
      spool: new Spool(join(root, "spool")),
      say: () => {},
      onUnsaved: (isUnsaved: boolean) => void unsaved.push(isUnsaved),
      firstWaitMs: 20,
    });
    return {
      ...place,
      unsaved,
      tools,
      recover: (folder = root) => recoverErroredState(folder, { ...tools(), relay: relay() }),
      leave: (state: Buffer) => writeFileSync(join(root, "errored.tfstate"), state),
    };
  }

  it("becomes the state when it follows the stored one", async () => {
    const { gateway, recover, leave } = await leftBehind();
    gateway.memory.state = aState(1);
    leave(aState(2));
    assert.deepEqual(await recover(), { end: "stored" });
    assert.ok(gateway.memory.recovery?.equals(aState(2)));
    assert.ok(gateway.memory.state.equals(aState(2)));
    assert.equal(gateway.memory.lock, undefined);
  });

  it("is kept when it belongs to another lineage", async () => {
    const { gateway, recover, leave } = await leftBehind();
    gateway.memory.state = aState(1, "other");
    leave(aState(2));
    assert.equal((await recover()).end, "kept");
    assert.ok(gateway.memory.recovery?.equals(aState(2)));
    assert.ok(gateway.memory.state.equals(aState(1, "other")));
  });

  it("is offered until the gateway takes it, and not given up meanwhile", async () => {
    const { gateway, unsaved, recover, leave } = await leftBehind();
    gateway.memory.state = aState(1, "other");
    leave(aState(2));
    let refusals = 3;
    gateway.memory.refuse = (request) => (request === "PUT /v1/recovery" && refusals-- > 0 ? "TooLarge" : undefined);
    assert.equal((await recover()).end, "kept");
    assert.deepEqual([unsaved[0], unsaved.at(-1)], [true, false]);
    assert.ok(gateway.memory.recovery?.equals(aState(2)));
  });

  it("is told to be only here while the store takes nothing, and to be safe when it has taken it", async () => {
    const { gateway, unsaved, recover, leave } = await leftBehind();
    gateway.memory.state = aState(1);
    leave(aState(2));
    let outages = 2;
    gateway.memory.refuse = (request) =>
      request === "PUT /v1/recovery" && outages-- > 0 ? "StoreUnavailable" : undefined;
    assert.equal((await recover()).end, "stored");
    assert.deepEqual(unsaved, [true, false]);
  });

  it("is told to be only here before it is sent: an answer may take long", async () => {
    const { gateway, unsaved, recover, leave } = await leftBehind();
    leave(aState(2));
    let before: boolean[] = [];
    gateway.memory.refuse = (request) => {
      if (request === "PUT /v1/recovery") before = [...unsaved];
      return undefined;
    };
    await recover();
    assert.deepEqual([before, unsaved], [[true], [true, false]]);
  });

  it("is not offered again by an agent that was restarted, unless it is another one", async () => {
    const { root, gateway, tools, leave } = await leftBehind();
    leave(aState(2));
    await keepErroredState(root, tools());
    gateway.memory.recovery = undefined;
    assert.ok((await keepErroredState(root, tools()))?.equals(aState(2)));
    assert.equal(gateway.memory.recovery, undefined);
    leave(aState(3));
    await keepErroredState(root, tools());
    assert.ok(aState(3).equals(gateway.memory.recovery ?? Buffer.alloc(0)));
  });

  for (const [what, isLeft] of [
    ["says it all of what the engine was refused before", true],
    ["is not missed where the engine did not live to leave it: the agent has what was refused", false],
  ] as const) {
    it(what, async () => {
      const { root, gateway, told, bePatient, ask, recover, leave } = await leftBehind();
      await bePatient();
      gateway.memory.state = aState(1, "other");
      gateway.memory.refuse = refuseStates;
      await ask("POST", "?ID=L1", aState(2));
      gateway.memory.refuse = () => undefined;
      if (isLeft) leave(aState(2));
      assert.equal((await recover()).end, "kept");
      assert.ok(gateway.memory.recovery?.equals(aState(2)));
      assert.deepEqual(told, [true, false]);
      assert.deepEqual(await recover(mkdtempSync(join(root, "empty-"))), { end: "none" });
    });
  }

  it("is the state when the gateway has made its copy the state", async () => {
    const { gateway, recover, leave } = await leftBehind();
    gateway.memory.state = aState(2);
    gateway.memory.lock = lockInfo("of an agent that died");
    leave(aState(2));
    assert.deepEqual(await recover(), { end: "stored" });
  });

  it("is nothing where there is none", async () => {
    const { recover } = await leftBehind();
    assert.deepEqual(await recover(), { end: "none" });
  });
});
