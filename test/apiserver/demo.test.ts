import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../../operator/api/environment.ts";
import type { KubeObject, Stored } from "../../operator/cluster/ports.ts";
import { ENVIRONMENTS } from "../../operator/cluster/resources.ts";
import { createStatusWriter } from "../../operator/cluster/status.ts";
import { ensureBinaries } from "../../tools/cluster/binaries.ts";
import { Kubectl } from "../../tools/demo/kubectl.ts";
import { watchFor } from "../../tools/demo/progress.ts";
import { openLine, type Seen } from "../faults/proxy.ts";
import { engineServer, installEnvironments, makeNamespace } from "./engine-server.ts";

const NAMESPACE = "team-demo";
type Served = Stored<Environment & KubeObject>;

const stall = {
  apiVersion: "terrarium.dev/v1alpha1",
  kind: "Environment",
  metadata: { name: "stall", namespace: NAMESPACE },
  spec: {
    source: { git: { url: "https://git.example.com/shop/infra.git", ref: { branch: "main" } } },
    components: [{ name: "network", terraform: { path: "live/network" } }],
  },
};

describe("The demo that waits for an Environment", function () {
  this.timeout(120_000);

  it("hears of what changes between its first look and the beginning of its watch", async () => {
    const { client, api } = await engineServer();
    const kubectlPath = (await ensureBinaries(["kubernetes"], () => undefined)).get("kubectl") ?? "";
    await installEnvironments(client);
    await makeNamespace(client, NAMESPACE);
    await client.create(ENVIRONMENTS, stall);
    let looks = 0;
    const look = async () => {
      const environment = await client.get<Served>(ENVIRONMENTS, NAMESPACE, "stall");
      const status = { observedGeneration: environment.metadata.generation ?? 0, conditions: [] };
      looks += 1;
      await createStatusWriter(client).write<Served>(ENVIRONMENTS, environment, status);
    };
    const folder = await mkdtemp(join(tmpdir(), "terrarium-demo-"));
    const line = await openLine(api, {
      namespace: NAMESPACE,
      fateOf: () => ({ type: "goes" }),
      onKill: () => {},
      holdRequest: async ({ path }: Seen) => {
        if (/[?&]watch=(true|1)/.test(path) && looks === 0) await look();
      },
    });
    try {
      const kubectlFlags = ["--server", line.url, "--kubeconfig", "/dev/null", "--cache-dir", folder];
      const kubectl = new Kubectl({ kubectlPath, kubectlFlags, helmPath: "", helmFlags: [] });
      const seen = await watchFor(kubectl, stall.metadata, ({ status }) => status !== undefined, 20_000);
      assert.deepEqual([seen.status?.observedGeneration, looks], [1, 1]);
    } finally {
      await line.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
