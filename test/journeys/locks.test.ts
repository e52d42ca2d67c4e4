import assert from "node:assert/strict";
import { LABELS } from "../../operator/api/names.ts";
import type { Pod } from "../../operator/cluster/kinds.ts";
import { killProcesses, processesIn } from "./support/containers.ts";
import { applyHalfWay, goOn, planHalfWay } from "./support/half-way.ts";
import { operatorNamespace } from "./support/installation.ts";
import { journey, journeys } from "./support/journey.ts";
import { cutOffGateway } from "./support/operator-pods.ts";
import type { Place } from "./support/place.ts";
import { Plugin } from "./support/plugin.ts";
import { states } from "./support/states.ts";
import { untilJournalled } from "./support/stored.ts";

const OPERATOR = `system:serviceaccount:${operatorNamespace}:terrarium-operator`;

const withoutFinalizers = ["--type=merge", "-p", '{"metadata":{"finalizers":null}}'];
const atOnce = ["--force", "--grace-period=0", "--wait=false", "--ignore-not-found"];

/** An administrator takes the object away: what became of the processes nobody can tell from then on. */
async function takePodAway(place: Place, pod: Pod): Promise<void> {
  const { name } = pod.metadata;
  const processes = await processesIn([pod]);
  await place.kubectl(["patch", "pod", name, ...withoutFinalizers]);
  await place.kubectl(["delete", "pod", name, ...atOnce]);
  // The kubelet may have been faster.
  killProcesses(processes);
}

journeys("locks that nobody gives back", () => {
  let plugin: Plugin;
  before("the bundled plugin on the PATH", async () => {
    plugin = await Plugin.install();
  });
  after(() => plugin.remove());

  journey("a pod that cannot be proven dead keeps its lock until a person says that it is", async (place) => {
    const pod = await applyHalfWay(place);
    await untilJournalled(place, "served", "one", 3);
    await cutOffGateway(pod);
    await takePodAway(place, pod);
    goOn(place);
    const line = await place.untilReason("served", "one", "ProofOfDeathMissing");
    assert.equal(line.state, "Stalled");
    assert.equal(line.lock?.standing, "Orphaned");
    assert.equal(line.lock.pod, pod.metadata.name);

    const [run] = await place.runs("one");
    assert.ok(run);
    const { name } = run.metadata;
    const advice = await plugin.say(place, "status", "served");
    assert.match(advice.out, new RegExp(`kubectl terrarium unlock ${name}`));
    const unsure = await plugin.say(place, "unlock", name);
    assert.equal(unsure.code, 2, unsure.out);
    assert.match(unsure.out, /You say that this pod is dead/);
    assert.equal((await place.runs("one"))[0]?.status?.finishedAt, undefined, "nothing is said yet");

    const sure = await plugin.say(place, "unlock", name, "--yes");
    assert.equal(sure.code, 0, sure.out);
    const ended = await place.untilRunEnds("one");
    assert.equal(ended.status?.phase, "Interrupted");
    assert.match(ended.status?.outcome?.message ?? "", /a person confirmed that it is dead/);
    assert.equal(ended.status?.outcome?.journal?.entries, 3);
    assert.equal((await states(place, "served.one").get()).status.lock, undefined);
    // What is asked for in the moment of the end may have been asked by somebody who did not know of it.
    await place.untilReason("served", "one", "AwaitingApproval");
    await place.request("served");
    await place.untilReady("served");
  });

  journey("a lock whose Run does not exist any more is released by a person's word", async (place) => {
    const { outside } = place;
    const pod = await planHalfWay(place, "left");
    await cutOffGateway(pod);
    const name = pod.metadata.labels?.[LABELS.run] ?? "";
    const processes = await processesIn([pod]);
    await place.kubectl(["patch", "run", name, ...withoutFinalizers]);
    await place.kubectl(["delete", "run", name, "--wait=false", "--as", OPERATOR]);
    killProcesses(processes);
    outside.release("version");
    await place.kubectl(["wait", "--for=delete", `pod/${pod.metadata.name}`, "--timeout=120s"]);

    await place.untilReason("left", "one", "LockOrphaned");
    assert.deepEqual(await place.runs(), [], "another Run would only be refused");
    const advice = await plugin.say(place, "status", "left");
    assert.match(advice.out, /kubectl terrarium state unlock left one/);
    const released = await plugin.say(place, "state", "unlock", "left", "one", "--yes");
    assert.equal(released.code, 0, released.out);
    assert.match(released.out, new RegExp(`was taken by ${name}, in the pod ${pod.metadata.name}`));
    await place.untilReady("left");
    assert.equal(outside.count("create/thing"), 1);
    const nothing = await plugin.say(place, "state", "unlock", "left", "one", "--yes");
    assert.equal(nothing.code, 3, nothing.out);
  });
});
