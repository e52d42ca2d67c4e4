import assert from "node:assert/strict";
import type { Environment } from "../../../operator/api/environment.ts";
import { LABELS } from "../../../operator/api/names.ts";
import type { Run } from "../../../operator/api/run.ts";
import type { ListOptions } from "../../../operator/cluster/ports.ts";
import { ENVIRONMENTS } from "../../../operator/cluster/resources.ts";
import { putContent } from "../../../operator/state-api/writing.ts";
import { ensureRecord } from "../../../operator/storage/ownership.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { aComponent, anEnvironment, aRecord, aRun } from "../../fakes/objects.ts";
import { selected } from "../../fakes/selected.ts";
import { runSpec } from "../run/observations.ts";
import { AT, aState, ENVIRONMENT_UID, NETWORK } from "../storage/claimants.ts";

function aRequest(environment: Environment, runs: readonly Run[] = []) {
  const store = memoryStore();
  const client = {
    find: async (kind: unknown) => (kind === ENVIRONMENTS ? environment : undefined),
    listAll: async (_kind: unknown, { labelSelector }: ListOptions) => ({
      items: runs.filter((run) => selected(run, labelSelector)),
    }),
  };
  const context = { store, client, clock: { now: () => AT }, tell: () => {} } as never;
  const push = (body = aState({ serial: 3 })) =>
    putContent({
      context,
      key: NETWORK,
      person: { name: "jane", groups: [] },
      query: {},
      reserve: () => {},
      body,
      signal: AbortSignal.timeout(10_000),
    });
  return { store, push };
}

/** It has applied something. */
const aRunOf = (component: string) =>
  aRun(
    runSpec({ component }),
    { observedGeneration: 1, applyStartedAt: AT.toISOString() },
    {
      labels: { [LABELS.environmentUid]: ENVIRONMENT_UID, [LABELS.component]: component },
    },
  );

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

  it("is refused also where that was released: it comes all the same", async () => {
    const { store, push } = aRequest(declaring("vpc"));
    store.seed(aRecord("vpc", { key: { ...NETWORK, component: "vpc" }, ownership: "Released" }));
    await assert.rejects(push(), /about to be renamed to network/);
  });

  it("is taken where another component is called by the former name now", async () => {
    const environment = declaring("vpc");
    const components = [...environment.spec.components, aComponent("vpc")];
    const { store, push } = aRequest({ ...environment, spec: { ...environment.spec, components } }, [aRunOf("vpc")]);
    store.seed(aRecord("vpc", { key: { ...NETWORK, component: "vpc" } }));
    await push();
    assert.equal((await store.record(NETWORK))?.value.written?.replaced, undefined);
  });

  for (const component of ["network", "vpc"])
    it(`is put in the place of one that was lost, where Runs of ${component} had begun`, async () => {
      const { store, push } = aRequest(declaring("vpc"), [aRunOf(component)]);
      await push();
      assert.equal((await store.record(NETWORK))?.value.written?.replaced, true);
    });
});
