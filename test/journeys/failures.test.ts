import assert from "node:assert/strict";
import { anEnvironment } from "./support/environments.ts";
import { journey, journeys, journeyWithEachEngine } from "./support/journey.ts";
import { fills, manyResources, reports, twoSteps } from "./support/modules.ts";
import { cutOffGateway } from "./support/operator-pods.ts";
import { conditionOf } from "./support/place.ts";
import { untilJournalled } from "./support/stored.ts";

journeys("applies that fail", () => {
  journeyWithEachEngine(
    "half way: what was made is kept, the failures are told address by address, the retry goes on from there",
    async (place, engine) => {
      const { outside } = place;
      const failing = Array.from({ length: 12 }, (_, index) => `f${String(index).padStart(2, "0")}`);
      for (const name of failing) outside.refuse(`create/${name}`);
      const module = [
        reports(outside.address, "made"),
        ...failing.map((name) => reports(outside.address, name, ["made"])),
      ].join("");
      await place.apply(anEnvironment({ name: "half", engine, components: [{ name: "one", module }] }));

      const first = await place.untilRunEnds("one", 1);
      const { outcome } = first.status ?? {};
      assert.equal(outcome?.reason, "ApplyFailed");
      assert.ok((outcome?.resources ?? 0) >= 1, "what was made is in the state");
      assert.equal(outcome?.diagnostics?.length, 10, "the first ten");
      for (const diagnostic of outcome?.diagnostics ?? [])
        assert.match(diagnostic.address ?? "", /^terraform_data\.f\d\d$/);
      const environment = await place.until("half", (one) => conditionOf(one, "Ready")?.reason === "ApplyFailed");
      assert.match(conditionOf(environment, "Ready")?.message ?? "", /terraform_data\.f\d\d/);

      for (const name of failing) outside.accept(`create/${name}`);
      await place.untilReady("half");
      const second = (await place.runs("one")).at(-1);
      assert.equal(second?.spec.cause.type, "Retry");
      assert.equal(outside.count("create/made"), 1, "what was made was not made again");
      assert.equal(second?.status?.outcome?.resources, 13);
    },
    { within: 180 },
  );

  journeyWithEachEngine(
    "too long: the engine is asked to stop, and says so",
    async (place, engine) => {
      const { outside } = place;
      outside.hold("create/endless");
      const timeouts = { plan: "5m", apply: "30s" };
      await place.apply(
        anEnvironment({
          name: "slow",
          engine,
          timeouts,
          retry: { limit: 0 },
          components: [{ name: "one", module: reports(outside.address, "endless") }],
        }),
      );
      await outside.arrival("create/endless");
      const run = await place.untilRunEnds("one", 1, { within: 120 });
      assert.equal(run.status?.outcome?.reason, "TimedOut", run.status?.outcome?.message);
      outside.release("create/endless");
    },
    { within: 200 },
  );

  journey(
    "for want of memory: the reason is named, and the limit to raise",
    async (place) => {
      const runner = { resources: { limits: { memory: "128Mi" } } };
      // So many that not even the plan has room, whenever the engine tidies up: an apply that is cut off is Interrupted.
      const components = [{ name: "one", module: manyResources(16_000, "a text of some length, ".repeat(20)) }];
      await place.apply(anEnvironment({ name: "greedy", runner, retry: { limit: 0 }, components }));
      const run = await place.untilRunEnds("one", 1, { within: 300 });
      assert.equal(run.status?.outcome?.reason, "OutOfMemory", run.status?.outcome?.message);
      assert.match(run.status?.outcome?.message ?? "", /limits\.memory/);
    },
    { within: 420 },
  );

  journey(
    "for want of disk: the kubelet evicts the pod in apply, which is told in its words, with what was made",
    async (place) => {
      const { outside } = place;
      outside.hold("create/second");
      const runner = { resources: { limits: { "ephemeral-storage": "64Mi" } } };
      const module = twoSteps(outside.address) + fills(128, ["second"]);
      await place.apply(anEnvironment({ name: "full", runner, components: [{ name: "one", module }] }));
      await outside.arrival("create/second");
      // The first is begun and made, the second begun.
      await untilJournalled(place, "full", "one", 3);
      const [begun] = await place.runs("one");
      assert.ok(begun);
      // In the second that the kubelet leaves it, the pod reaches nobody: what it does not tell has to be found out.
      await cutOffGateway(await place.podOf(begun));
      outside.release("create/second");
      const run = await place.untilRunEnds("one", 1, { within: 240 });
      assert.equal(run.status?.phase, "Interrupted", run.status?.outcome?.message);
      assert.match(run.status?.outcome?.message ?? "", /the kubelet says Evicted: .*ephemeral/);
      const leftovers = run.status?.outcome?.journal?.leftovers.map(({ address }) => address);
      assert.deepEqual(leftovers, ["terraform_data.first", "terraform_data.second"]);
      await place.apply(anEnvironment({ name: "full", components: [{ name: "one", module }] }));
      await place.request("full");
      await place.untilReady("full");
    },
    { within: 420 },
  );

  journey(
    "a pod that cannot be scheduled says so in Kubernetes' words, and does not hold up a deletion",
    async (place) => {
      const environment = (runner: object) =>
        anEnvironment({ name: "nowhere", runner, components: [{ name: "one", module: 'output "x" { value = 1 }\n' }] });
      await place.apply(environment({ nodeSelector: { "terrarium.test/no-such": "node" } }));
      const run = await place.untilRun("one", ({ status }) => /cannot be scheduled/.test(status?.message ?? ""));
      assert.match(run.status?.message ?? "", /node/);
      await place.delete("nowhere");
      await place.untilGone("nowhere");
    },
  );

  journey("a pod that Kubernetes refuses is a failure that quotes it", async (place) => {
    await place.apply({
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "none" },
      spec: { hard: { pods: "0" } },
    });
    await place.kubectl(["wait", "resourcequota/none", "--for=jsonpath={.status.hard.pods}=0", "--timeout=60s"]);
    await place.apply(
      anEnvironment({ name: "quota", components: [{ name: "one", module: 'output "x" { value = 1 }\n' }] }),
    );
    const line = await place.untilReason("quota", "one", "PodRejected");
    assert.match(line.message ?? "", /quota/);
    await place.kubectl(["delete", "resourcequota/none"]);
    await place.untilReady("quota");
  });
});
