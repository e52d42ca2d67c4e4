import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { bundlePlugin } from "../../tools/bundle.ts";
import { anEnvironment, fromOutput } from "./support/environments.ts";
import { journey, journeys } from "./support/journey.ts";
import { keepsVariable } from "./support/modules.ts";
import type { Place } from "./support/place.ts";

interface Spoken {
  readonly code: number;
  readonly out: string;
}

journeys("kubectl terrarium", () => {
  let folder: string;
  before("the bundled plugin on the PATH", async () => {
    folder = await mkdtemp(join(tmpdir(), "terrarium-plugin-"));
    await bundlePlugin(join(folder, "kubectl-terrarium"), "test");
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** `kubectl terrarium …` as a person types it, by the real kubectl. */
  function terrarium({ installation, namespace }: Place, ...args: readonly string[]): Promise<Spoken> {
    const { binDir, kubeconfig } = installation.paths;
    const path = [binDir, folder, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter);
    const told = ["terrarium", ...args, "-n", namespace];
    return new Promise((resolve) => {
      execFile("kubectl", told, { env: { PATH: path, KUBECONFIG: kubeconfig, HOME: folder } }, (error, out, err) => {
        const code = error === null ? 0 : Number(error.code);
        resolve({ code, out: out + err });
      });
    });
  }

  journey("tells what an environment does, and says to it what a person says", async (place) => {
    const shop = (size: string) =>
      anEnvironment({
        name: "shop",
        variables: [{ name: "size", value: size }],
        components: [
          { name: "network", module: keepsVariable("size") },
          { name: "app", module: keepsVariable("net"), variables: [fromOutput("net", "network", "kept")] },
        ],
      });
    await place.apply(shop("small"));
    await place.untilReady("shop");

    const ready = await terrarium(place, "status", "shop");
    assert.equal(ready.code, 0, ready.out);
    assert.match(ready.out, /network +Ready .*\n└─ app +Ready/);
    const listed = await terrarium(place, "runs", "shop");
    assert.match(listed.out, /app +1 +Apply +Created +Applied/);
    const printed = await terrarium(place, "logs", "shop", "-c", "network");
    assert.match(printed.out, /Apply complete!/);
    assert.match((await terrarium(place, "graph", "shop")).out, /2 +app +Ready +network/);
    const health = await terrarium(place, "doctor");
    assert.equal(health.code, 0, health.out);
    assert.match(health.out, /2 of 2 replicas are ready in terrarium-system/);

    await terrarium(place, "suspend", "shop");
    await place.apply(shop("large"));
    await place.until("shop", ({ status }) => status?.components?.some(({ state }) => state === "Suspended") ?? false);
    const held = await terrarium(place, "status", "shop");
    assert.equal(held.code, 3);
    assert.match(held.out, /kubectl terrarium resume shop/);
    await terrarium(place, "resume", "shop");
    await place.untilReady("shop");
    assert.equal((await terrarium(place, "run", "shop")).code, 0);
    await place.until("shop", ({ status }) => status?.handledRequest !== undefined && status.summary === "2/2 ready");
    assert.equal((await terrarium(place, "status", "nothing")).code, 5);
  });

  journey("shows a plan that waits, and applies exactly what was approved", async (place) => {
    const shop = (size: string) =>
      anEnvironment({
        name: "shop",
        // What the journey leaves behind is destroyed without a word.
        approval: { required: 1, destroy: { required: 0 } },
        variables: [{ name: "size", value: size }],
        components: [
          { name: "network", module: keepsVariable("size") },
          { name: "app", module: keepsVariable("net"), variables: [fromOutput("net", "network", "kept")] },
        ],
      });
    await place.apply(shop("small"));
    const waits = (component: string) =>
      place.until("shop", ({ status }) =>
        (status?.components ?? []).some(({ name, state }) => name === component && state === "AwaitingApproval"),
      );
    await waits("network");
    const waiting = await terrarium(place, "status", "shop");
    assert.equal(waiting.code, 3);
    assert.match(waiting.out, /network +AwaitingApproval +\+1 .*an approval/);
    assert.match(waiting.out, /Behind it waits app/);
    assert.match((await terrarium(place, "plan", "shop")).out, /terraform_data\.kept/);
    const unasked = await terrarium(place, "approve", "shop");
    assert.equal(unasked.code, 2);
    const approved = await terrarium(place, "approve", "shop", "--yes", "--reason", "read it");
    assert.equal(approved.code, 0, approved.out);
    await waits("app");
    assert.equal((await terrarium(place, "reject", "shop", "--yes", "--reason", "not on a Friday")).code, 0);
    await place.until("shop", ({ status }) => (status?.components ?? []).some(({ reason }) => reason === "Rejected"));
    assert.match((await terrarium(place, "status", "shop")).out, /not on a Friday/);
    assert.match((await terrarium(place, "runs", "shop")).out, /Rejected|Cancelled/);
  });
});
