import assert from "node:assert/strict";
import type { Environment } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { environmentPorts } from "../../../operator/assembly/environment-ports.ts";
import { ApiError } from "../../../operator/cluster/errors.ts";
import type { Client } from "../../../operator/cluster/ports.ts";
import { ENVIRONMENTS, RUNS } from "../../../operator/cluster/resources.ts";
import type { EnvironmentPorts } from "../../../operator/environment/ports.ts";
import { fakeKubeClient } from "../../fakes/kube-client.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { aComponent, anEnvironment, aRecord, aRun } from "../../fakes/objects.ts";
import { runSpec } from "../run/observations.ts";

const signal = new AbortController().signal;

describe("Beginning a Run", () => {
  it("is done already where an earlier try was not answered: the Run of that name is the one that was meant", async () => {
    const client = fakeKubeClient();
    const ports = environmentPorts({ client: client as unknown as Client, following: {} } as never);
    const { metadata, spec } = aRun(runSpec());
    const environment = anEnvironment([aComponent("network")]);
    await ports.createRun(environment, metadata.name, spec, signal);
    await ports.createRun(environment, metadata.name, spec, signal);
    assert.equal(client.objects(RUNS).length, 1);
  });
});

describe("A rename", () => {
  const key = (component: string) => ({ namespace: "team", environment: "shop", component });

  function aWorld(...components: readonly string[]) {
    const store = memoryStore();
    const client = fakeKubeClient();
    const runs = components.map((component) => {
      const { metadata, ...run } = aRun(runSpec({ component }), undefined, { name: component });
      client.seed(RUNS, { ...run, metadata } as never);
      return component;
    });
    const caches = {
      environments: { get: () => anEnvironment([]) },
      runs: { byIndex: () => client.objects(RUNS) },
    };
    const ports = environmentPorts({ client: client as unknown as Client, caches, store, following: {} } as never);
    const rename = (from: string, to: string) => ports.renameState(key(from), key(to), signal);
    const movedTo = () =>
      runs.map((name) => client.objects(RUNS).find(({ metadata }) => metadata.name === name)?.metadata.annotations);
    return { store, rename, movedTo };
  }
  const at = (name: string) => ({ [ANNOTATIONS.movedTo]: name, [ANNOTATIONS.stateName]: name });

  it("takes along the Runs of all names that the state has had, and those of no other state", async () => {
    const { store, rename, movedTo } = aWorld("net", "network");
    store.seed(aRecord("net"));
    await rename("net", "network");
    await rename("network", "vpc");
    assert.deepEqual(movedTo(), [at("vpc"), at("vpc")]);
    store.seed(aRecord("net"));
    await rename("net", "other");
    assert.deepEqual(movedTo(), [at("vpc"), at("vpc")]);
  });

  it("that is refused leaves its Runs alone: they would say nothing about the state that stays", async () => {
    const { store, rename, movedTo } = aWorld("net");
    const claim = { run: "a", runUid: "a", number: 2, phase: "Plan", podUid: "p", at: "" } as const;
    store.seed(aRecord("net", { claim }));
    await assert.rejects(rename("net", "network"), /is in use by Run a/);
    assert.deepEqual(movedTo(), [undefined]);
  });

  it("that was cut off before its Runs were moved moves them when it is finished", async () => {
    const { store, rename, movedTo } = aWorld("net");
    store.seed(aRecord("net", { movingTo: "network" }));
    store.seed(aRecord("network", { storageId: "storage-net" }));
    await rename("net", "network");
    assert.deepEqual(movedTo(), [at("network")]);
  });
});

describe("A confirmation that is used up", () => {
  const confirming = (names: string) =>
    anEnvironment([aComponent("network")], { metadata: { annotations: { [ANNOTATIONS.confirmDestroy]: names } } });

  /** What the annotation says after the operator has withdrawn what it saw, and whether a person wrote `b` before that. */
  async function left({ meanwhile }: { readonly meanwhile: boolean }): Promise<string | undefined> {
    const client = fakeKubeClient();
    const ports = environmentPorts({ client: client as unknown as Client, following: {} } as never);
    const seen = client.seed(ENVIRONMENTS, confirming("a") as never) as unknown as Environment;
    if (meanwhile) client.seed(ENVIRONMENTS, confirming("b") as never);
    await ports.setConfirmations(seen, [], signal);
    return client.objects(ENVIRONMENTS)[0]?.metadata.annotations?.[ANNOTATIONS.confirmDestroy] ?? undefined;
  }

  it("is withdrawn", async () => {
    assert.equal(await left({ meanwhile: false }), undefined);
  });

  it("does not take the one with it that a person has written meanwhile", async () => {
    assert.equal(await left({ meanwhile: true }), "b");
  });
});

describe("A write to an Environment that is refused with 409", () => {
  const writes: readonly (readonly [string, (ports: EnvironmentPorts, seen: Environment) => Promise<unknown>])[] = [
    ["the deletion at the end of its lifetime", (ports, seen) => ports.deleteEnvironment(seen, signal)],
    ["a confirmation that is used up", (ports, seen) => ports.setConfirmations(seen, [], signal)],
  ];
  for (const [what, write] of writes) {
    const refused = (meanwhile: boolean): Promise<unknown> => {
      const client = fakeKubeClient();
      const ports = environmentPorts({ client: client as unknown as Client, following: {} } as never);
      const environment = anEnvironment([aComponent("network")]);
      const seen = client.seed(ENVIRONMENTS, environment as never) as unknown as Environment;
      client.faults.before = (verb) => {
        if (verb !== "delete" && verb !== "patch") return;
        client.faults = {};
        if (meanwhile) client.seed(ENVIRONMENTS, environment as never);
        throw new ApiError({ request: verb, status: 409, reason: "Conflict", message: "try again" });
      };
      return write(ports, seen);
    };

    it(`is left to the next round, which the news bring (${what})`, async () => {
      await refused(true);
    });

    it(`fails the round where nothing has changed: no news would bring another (${what})`, async () => {
      await assert.rejects(refused(false), /Conflict/);
    });
  }
});
