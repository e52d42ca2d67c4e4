import assert from "node:assert/strict";
import { environmentPorts } from "../../../operator/assembly/environment-ports.ts";
import type { Client } from "../../../operator/cluster/ports.ts";
import { RUNS } from "../../../operator/cluster/resources.ts";
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
