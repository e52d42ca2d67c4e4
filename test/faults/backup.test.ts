import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Run } from "../../operator/api/run.ts";
import { ENVIRONMENTS } from "../../operator/cluster/resources.ts";
import { type Power, powerOf } from "../apiserver/power.ts";
import { until } from "../apiserver/until.ts";
import { type OwnStage, ownStage } from "./stage.ts";
import { change, createEnvironment, deleteEnvironment, find, inPlace, isApplied, isGone, request } from "./story.ts";

/** What takes minutes in a cluster is to take seconds here. */
const TIMING = { silenceMs: 2_000 };

/** As an administrator does it, with nothing but copies of files. */
async function backups({ dir, api, client }: OwnStage) {
  const data = join(dir, "etcd");
  const copy = join(dir, "backup");
  const etcd = await powerOf(api.pids.etcd);
  const server = await powerOf(api.pids["kube-apiserver"]);
  const answers = () =>
    until("the API server answers", () =>
      client.list(ENVIRONMENTS).then(
        () => true,
        () => false,
      ),
    );
  return {
    async make(): Promise<void> {
      await etcd.kill();
      cpSync(data, copy, { recursive: true });
      etcd.startAgain();
      await answers();
    },
    async restore(): Promise<void> {
      await server.kill();
      await etcd.kill();
      rmSync(data, { recursive: true });
      cpSync(copy, data, { recursive: true });
      etcd.startAgain();
      server.startAgain();
      await answers();
    },
    stop: () => Promise.all([etcd, server].map((power: Power) => power.kill())),
  };
}

describe("When etcd is restored from a backup", function () {
  this.timeout(300_000);
  let stage: OwnStage;

  before(async () => {
    stage = await ownStage(TIMING);
  });
  after(() => stage.strike());

  it("status and state go back together; nothing happens by itself, and the next plan shows what differs", async () => {
    const { make, restore, stop } = await backups(stage);
    const ending = await inPlace(
      { timing: TIMING },
      async (place) => {
        const { engines, view } = place;
        await createEnvironment(place);
        await isApplied(place, 1);
        const first = engines.things();
        await make();
        await change(place);
        await isApplied(place, 2);
        const second = engines.things();
        await restore();
        await place.awaited(
          "it is what it was",
          () => find(place)?.metadata.generation === 1 && view.runs().length < 2,
        );
        await request(place);
        const changes = ({ status }: Run) => status?.plan?.counts?.update === 2;
        await place.awaited("a plan finds what differs", () => view.runs().some(changes));
        await isApplied(place, 1);
        assert.deepEqual(engines.things(), first);
        await change(place);
        await isApplied(place, 2);
        assert.deepEqual(engines.things(), second);
        await deleteEnvironment(place);
        await isGone(place);
      },
      stage,
    );
    await stop();
    assert.deepEqual(
      ending.ledger.map((line) => line.split(" ")[0]).filter((verb) => verb !== "begin" && verb !== "end"),
      ["create", "create", ...Array.from({ length: 6 }, () => "change"), "destroy", "destroy"],
    );
    // What was declared last may cost a Run once more, before the operator has seen that it was never declared.
    assert.ok(ending.runs === 5 || ending.runs === 6, `${ending.runs} Runs`);
  });
});
