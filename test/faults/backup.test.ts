import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isClosed, type Run } from "../../operator/api/run.ts";
import { ENVIRONMENTS } from "../../operator/cluster/resources.ts";
import { type Power, powerOf } from "../apiserver/power.ts";
import { until } from "../apiserver/until.ts";
import type { EnginesParts } from "./engines.ts";
import type { Place } from "./place.ts";
import { playedEngines } from "./played-engines.ts";
import { type OwnStage, ownStage } from "./stage.ts";
import { change, createEnvironment, deleteEnvironment, find, inPlace, isApplied, isGone, request } from "./story.ts";
import { isWhole } from "./whole.ts";

/** One thing that is changed in place. What is made or replaced after the copy is in no restored state (docs/operations.md). */
const engines = (parts: EnginesParts) => playedEngines(parts, 1);

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

const uidOf = ({ metadata }: Run): string => metadata.uid ?? "";

/** On a busy machine a server that was killed may not come up beside an etcd that is only coming up itself. */
(isWhole ? describe : describe.skip)("When etcd is restored from a backup", function () {
  this.timeout(300_000);
  let stage: OwnStage;

  before(async () => {
    stage = await ownStage(TIMING);
  });
  after(() => stage.strike());

  it("status and state go back together; nothing is made twice or destroyed, and the next plan shows what differs", async () => {
    const { make, restore, stop } = await backups(stage);
    const happens = async (place: Place) => {
      const { engines, view } = place;
      await createEnvironment(place);
      await isApplied(place, 1);
      const first = engines.things();
      const kept = new Set(view.runs().map(uidOf));
      await make();
      await change(place);
      await isApplied(place, 2);
      const second = engines.things();
      const lost = view
        .runs()
        .map(uidOf)
        .filter((uid) => !kept.has(uid));
      await restore();
      await place.awaited("it is what it was", () => find(place)?.metadata.generation === 1);
      // Each kind is looked at by a watch of its own, which begins anew when it notices.
      await place.awaited("what was made since is gone", () => !view.runs().some((run) => lost.includes(uidOf(run))));
      await request(place);
      const changes = ({ status }: Run) => status?.plan?.counts?.update === 1;
      await place.awaited("a plan finds what differs", () => view.runs().some(changes));
      await place.awaited("the request is answered", () => find(place)?.status?.handledRequest === "now");
      await place.awaited("all Runs have ended", () => view.runs().every(isClosed));
      await isApplied(place, 1);
      assert.deepEqual(engines.things(), first);
      await change(place);
      await isApplied(place, 2);
      assert.deepEqual(engines.things(), second);
      await deleteEnvironment(place);
      await isGone(place);
    };
    const { ledger, runs } = await inPlace({ timing: TIMING, engines }, happens, stage).finally(stop);
    const verbs = ledger.map((line) => line.split(" ")[0] ?? "").filter((verb) => verb !== "begin" && verb !== "end");
    const changes = verbs.filter((verb) => verb === "change").length;
    assert.deepEqual(verbs, ["create", ...Array(changes).fill("change"), "destroy"]);
    // What was declared last may be applied once more, and taken back, before the operator has seen that it was never declared.
    assert.ok(changes >= 3 && changes <= 5, `${changes} changes`);
    assert.ok(runs >= 5 && runs <= 7, `${runs} Runs`);
  });
});
