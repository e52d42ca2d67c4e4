import assert from "node:assert/strict";
import type { Environment } from "../../../operator/api/environment.ts";
import { ENVIRONMENTS } from "../../../operator/cluster/resources.ts";
import { putContent } from "../../../operator/state-api/writing.ts";
import { ensureRecord } from "../../../operator/storage/ownership.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { AT, aState, ENVIRONMENT_UID, NETWORK } from "../storage/claimants.ts";

function aRequest(environment: Environment) {
  const store = memoryStore();
  const client = {
    find: async (kind: unknown) => (kind === ENVIRONMENTS ? environment : undefined),
    listAll: async () => ({ items: [] }),
  };
  const context = { store, client, clock: { now: () => AT }, tell: () => {} } as never;
  const push = (body = aState({ serial: 3 })) =>
    putContent({
      context,
      key: NETWORK,
      person: { name: "jane", groups: [] },
      query: {},
      body,
      signal: AbortSignal.timeout(10_000),
    });
  return { store, push };
}

const declaring = (formerName?: string) =>
  anEnvironment([aComponent(NETWORK.component, formerName === undefined ? {} : { formerName })], {
    metadata: { uid: ENVIRONMENT_UID },
  });

describe("The first state that a person pushes for a component", () => {
  it("makes its record", async () => {
    const { store, push } = aRequest(declaring());
    await push();
    assert.equal((await store.record(NETWORK))?.value.state?.serial, 3);
  });

  it("makes none where it is not taken: an empty one would say that nothing was lost", async () => {
    const { store, push } = aRequest(declaring());
    await assert.rejects(push(Buffer.from("oops, the wrong file")), /not JSON/);
    assert.equal(await store.record(NETWORK), undefined);
    store.faults.before = (verb) => {
      if (verb === "putBlob") throw new Error("the store is full");
    };
    await assert.rejects(push(), /the store is full/);
    assert.equal(await store.record(NETWORK), undefined);
  });

  it("is refused while the state of its former name is to come there: that one would belong to nobody", async () => {
    const { store, push } = aRequest(declaring("vpc"));
    await ensureRecord(store, { ...NETWORK, component: "vpc" }, ENVIRONMENT_UID);
    await assert.rejects(push(), /the state of vpc is about to be renamed to network: wait until it is/);
    assert.equal(await store.record(NETWORK), undefined);
  });

  it("is taken where nothing is known of the former name", async () => {
    const { push } = aRequest(declaring("vpc"));
    await push();
  });
});
