import assert from "node:assert/strict";
import type { Pod } from "../../operator/cluster/kinds.ts";
import { isWhole } from "../faults/whole.ts";
import { approvers, says, untilHeld } from "./support/approvers.ts";
import { killContainers, signalProcesses } from "./support/containers.ts";
import { anEnvironment, type Engine } from "./support/environments.ts";
import { applyHalfWay, destroyHalfWay, goOn, initHalfWay, LIBRARY, planHalfWay, wentOn } from "./support/half-way.ts";
import { journey, journeys, journeyWithEachEngine } from "./support/journey.ts";
import { keeps, reports } from "./support/modules.ts";
import { cutOffGateway, restoreGateway } from "./support/operator-pods.ts";
import type { Place } from "./support/place.ts";
import { untilJournalled } from "./support/stored.ts";

async function killedInApply(place: Place, engine?: Engine): Promise<void> {
  const pod = await applyHalfWay(place, engine);
  // The first is begun and made, the second begun.
  await untilJournalled(place, "served", "one", 3);
  await killContainers(pod);
  goOn(place);
}

const anEngine = /tofu (init|plan|apply)/;

const evict = (place: Place, { metadata: { name, namespace } }: Pod) =>
  place.kubectl(
    ["create", "--raw", `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, "-f", "-"],
    JSON.stringify({ apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } }),
  );
const remove = (place: Place, { metadata: { name } }: Pod) => place.kubectl(["delete", "pod", name, "--wait=false"]);
const endAgent = (_place: Place, pod: Pod) => signalProcesses(pod, "agent", /./, "SIGTERM");

async function killAgent(place: Place, pod: Pod): Promise<void> {
  await killContainers(pod, ["agent"]);
  await place.untilRestarted(pod, "agent");
}

/** What is asked for in the moment of the end may have been asked by somebody who did not know of it: such a plan waits for a person. */
async function requestAnother(place: Place): Promise<void> {
  const about = "to show how its Run has ended";
  await place.untilComponent("served", "one", ({ state }) => state !== "Applying", { about });
  await place.request("served");
}

/** What can befall a part of a pod, or the pod. */
const mishaps: Readonly<Record<string, (place: Place, pod: Pod) => Promise<unknown>>> = {
  "the engine alone is killed": (_place, pod) => signalProcesses(pod, "engine", anEngine, "SIGKILL"),
  "the engine alone is told to end": (_place, pod) => signalProcesses(pod, "engine", anEngine, "SIGTERM"),
  "the agent alone is killed": killAgent,
  "the agent alone is told to end": endAgent,
  "the pod is deleted": remove,
  "the pod is evicted": evict,
};

/** Phases that are tried again by themselves, with the way into the middle of each. */
const repeatable: Readonly<
  Record<string, (place: Place) => Promise<{ readonly pod: Pod; readonly goOn: () => void }>>
> = {
  async init(place) {
    return { pod: await initHalfWay(place, "served"), goOn: () => place.outside.release(LIBRARY) };
  },
  async plan(place) {
    return { pod: await planHalfWay(place, "served"), goOn: () => place.outside.release("version") };
  },
  async destroy(place) {
    return { pod: await destroyHalfWay(place, "served"), goOn: () => place.outside.release("destroy/thing") };
  },
};

journeys("runners that die", () => {
  journey("killed in init: it is tried again", async (place) => {
    const { outside } = place;
    outside.hold("slow.git/info/refs");
    const module = `module "slow" {\n  source = "git::${outside.url}/slow.git"\n}\n`;
    await place.apply(anEnvironment({ name: "init", components: [{ name: "one", module }] }));
    await outside.arrival("slow.git/info/refs");
    const [run] = await place.runs("one");
    assert.ok(run);
    await killContainers(await place.podOf(run));
    const ended = await place.untilRunEnds("one");
    assert.equal(ended.status?.outcome?.reason, "RunnerLost");
    const retry = await place.untilRun("one", ({ spec }) => spec.number === 2);
    assert.equal(retry.spec.cause.type, "Retry");
    outside.release("slow.git/info/refs");
    await place.apply(anEnvironment({ name: "init", components: [{ name: "one", module: keeps("x") }] }));
    await place.untilReady("init");
  });

  journeyWithEachEngine("killed in plan: it is tried again by itself, and ends well", async (place, engine) => {
    const { outside } = place;
    await killContainers(await planHalfWay(place, "plan", engine));
    outside.release("version");
    const ended = await place.untilRunEnds("one");
    assert.equal(ended.status?.outcome?.reason, "RunnerLost");
    await place.untilReady("plan");
    assert.deepEqual(
      outside.heard.filter((what) => what.startsWith("create")),
      ["create/thing"],
    );
  });

  for (const [phase, halfWay] of Object.entries(repeatable)) {
    if (phase !== "plan" && !isWhole) continue;
    for (const [what, happens] of Object.entries(mishaps)) {
      journey(`in ${phase}, ${what}: it ends well by itself, and everything is made once`, async (place) => {
        const { outside } = place;
        const { pod, goOn } = await halfWay(place);
        await happens(place, pod);
        goOn();
        if (phase === "destroy") await place.untilGone("served");
        else await place.untilReady("served");
        assert.equal(outside.count("create/thing"), 1);
      });
    }
  }

  journeyWithEachEngine(
    "killed in apply: Interrupted, never repeated by itself; it goes on when that is asked for",
    async (place, engine) => {
      const { outside } = place;
      await killedInApply(place, engine);
      const run = await place.untilRunEnds("one");
      assert.equal(run.status?.phase, "Interrupted");
      const journal = run.status?.outcome?.journal;
      assert.ok(journal, "the journal is named");
      assert.ok(journal.entries >= 1);
      const leftovers = journal.leftovers.map(({ address }) => address);
      assert.deepEqual(leftovers, ["terraform_data.first", "terraform_data.second"], "made, and begun");

      // Neither time nor a change of the spec starts the apply again: a plan waits, although no rule asks anybody.
      const line = await place.untilComponent("served", "one", ({ state }) => state === "AwaitingApproval");
      assert.match(
        line.message ?? "",
        /approve served: 0 of 1 approvals .*; Run 1 was interrupted: see kubectl terrarium state imports/,
      );
      assert.equal(line.interrupted, run.metadata.name);
      await place.patch("served", { spec: { variables: [{ name: "unused", value: 1 }] } });
      const anew = await untilHeld(place, "one", 3);
      assert.equal(anew.spec.cause.type, "Recovery");
      assert.equal(outside.count("create/second"), 1);

      await place.request("served");
      await place.untilReady("served");
      assert.ok(outside.count("create/second") >= 2);
      await place.delete("served");
      await place.untilGone("served");
    },
  );

  journey(
    "killed in apply: what is left to do is planned, and applied when a person has approved it",
    async (place) => {
      const { outside } = place;
      await approvers(place, "ada");
      await killedInApply(place);
      const rest = await untilHeld(place, "one", 2);
      assert.deepEqual(rest.spec.rules?.approval, { required: 1, expiresAfter: "24h" });
      assert.equal(outside.count("create/second"), 1);
      await says(place, "ada", "Approve", rest, "what the journal names was removed by hand");
      await place.untilReady("served");
      const runs = await place.runs("one");
      assert.deepEqual(runs.map(({ status }) => status?.outcome?.result).sort(), ["Applied", "Interrupted"]);
      const [line] = (await place.environment("served")).status?.components ?? [];
      assert.equal(line?.interrupted, undefined, "that is settled");
    },
  );

  journeyWithEachEngine(
    "killed after a replacement and before its state was stored: what is new is named, and the deletion waits for a person",
    async (place, engine) => {
      const { outside } = place;
      const replaced = (version: number) => `resource "terraform_data" "thing" { triggers_replace = ${version} }\n`;
      const applies = (module: string) =>
        place.apply(anEnvironment({ name: "served", engine, components: [{ name: "one", module }] }));
      await applies(replaced(1));
      await place.untilReady("served");
      outside.hold("create/last");
      await applies(replaced(2) + reports(outside.address, "last", ["thing"]));
      await outside.arrival("create/last");
      const [run] = (await place.runs("one")).filter(({ spec }) => spec.number === 2);
      assert.ok(run);
      // The old one is deleted, the new one made, and the last one begun.
      await untilJournalled(place, "served", "one", 5);
      await killContainers(await place.podOf(run));
      outside.release("create/last");
      const { status } = await place.untilRunEnds("one", 2);
      assert.equal(status?.phase, "Interrupted");
      const [thing, last] = status?.outcome?.journal?.leftovers ?? [];
      assert.deepEqual([thing?.address, last?.address], ["terraform_data.thing", "terraform_data.last"]);
      assert.ok(thing?.id, "by the id that it was given");
      await place.delete("served");
      const line = await place.untilReason("served", "one", "LeftBehind");
      // The status cuts long messages.
      assert.ok(line.message?.includes(`terraform_data.thing (${thing.id.slice(0, 8)}`), line.message);
      await place.annotate("served", { "terrarium.dev/confirm-gone": run.metadata.name });
      await place.untilGone("served");
    },
  );

  journey("killed in a destroy: it is tried again by itself", async (place) => {
    const { outside } = place;
    await killContainers(await destroyHalfWay(place, "served"));
    const again = await place.untilRun("one", ({ spec }) => spec.number === 3, { about: "the next try" });
    assert.equal(again.spec.operation, "Destroy");
    outside.release("destroy/thing");
    await place.untilGone("served");
  });

  journey(
    "killed in apply and then deleted: destroyed, and kept until a person has seen to what no state has",
    async (place) => {
      await killedInApply(place);
      const run = await place.untilRunEnds("one");
      assert.equal(run.status?.phase, "Interrupted");
      await place.delete("served");
      const line = await place.untilReason("served", "one", "LeftBehind");
      assert.match(line.message ?? "", /confirm-gone=/);
      assert.equal(line.interrupted, run.metadata.name);
      await place.annotate("served", { "terrarium.dev/confirm-gone": run.metadata.name });
      await place.untilGone("served");
    },
  );

  journey("the engine alone is killed in apply: its end is reported, and the next try goes on", async (place) => {
    await signalProcesses(await applyHalfWay(place), "engine", /tofu apply/, "SIGKILL");
    goOn(place);
    const ended = await place.untilRunEnds("one");
    assert.ok(["Failed", "Interrupted"].includes(ended.status?.outcome?.result ?? ""), ended.status?.outcome?.message);
    await requestAnother(place);
    await place.untilReady("served");
  });

  journey("the engine alone is told to end in apply: it saves its state, and the next try goes on", async (place) => {
    const { outside } = place;
    const pod = await applyHalfWay(place);
    await signalProcesses(pod, "engine", /tofu apply/, "SIGTERM");
    // The engine ends what the second one waits for: nobody answers it before that.
    const ended = await place.untilRunEnds("one");
    goOn(place);
    const { outcome } = ended.status ?? {};
    assert.deepEqual([outcome?.result, outcome?.reason], ["Failed", "ApplyFailed"], outcome?.message);
    assert.ok(outcome?.resources, "something is in the state");
    const next = await place.untilRun("one", ({ spec }) => spec.number === 2, { about: "the next try" });
    assert.equal(next.spec.cause.type, "Retry");
    await place.untilReady("served");
    assert.equal(outside.count("create/first"), 1, "what was made was not made again");
  });

  journey("the agent alone is killed in apply: the engine goes on, and nothing is lost", async (place) => {
    const pod = await applyHalfWay(place);
    await killContainers(pod, ["agent"]);
    goOn(place);
    await Promise.all([place.untilRestarted(pod, "agent"), wentOn(place)]);
  });

  journey(
    "both containers die with a state that the gateway does not have: the restarted agent hands it over",
    async (place) => {
      const { outside } = place;
      const pod = await applyHalfWay(place);
      await cutOffGateway(pod);
      goOn(place);
      await place.untilLog(pod, /Apply complete/);
      await killContainers(pod);
      const [run] = await place.runs("one");
      assert.ok(run);
      const restarted = await place.podOf(run, { after: pod });
      await restoreGateway(restarted);
      await place.untilRunEnds("one");
      await requestAnother(place);
      await place.untilReady("served");
      assert.deepEqual(outside.heard, ["create/first", "create/second"], "what was made was not made again");
    },
    { within: 180 },
  );

  for (const [what, end] of [
    ["that is deleted", remove],
    ["that is evicted (as when its node is drained)", evict],
    ["whose agent alone is told to end", endAgent],
  ] as const) {
    journey(`a pod ${what} in apply saves its state first`, async (place) => {
      const { outside } = place;
      await end(place, await applyHalfWay(place));
      goOn(place);
      const ended = await place.untilRunEnds("one");
      assert.ok(ended.status?.outcome?.resources ?? 0, `something is in the state: ${ended.status?.outcome?.message}`);
      await requestAnother(place);
      await place.untilReady("served");
      assert.equal(outside.count("create/first"), 1, "what was made was not made again");
    });
  }
});
