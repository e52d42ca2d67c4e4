import assert from "node:assert/strict";
import type { Environment } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { environmentPorts } from "../../../operator/assembly/environment-ports.ts";
import type { Client } from "../../../operator/cluster/ports.ts";
import { ENVIRONMENTS, RUNS } from "../../../operator/cluster/resources.ts";
import { fakeKubeClient } from "../../fakes/kube-client.ts";
import { aComponent, anEnvironment, aRun } from "../../fakes/objects.ts";
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
