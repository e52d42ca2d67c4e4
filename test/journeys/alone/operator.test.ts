import assert from "node:assert/strict";
import { anEnvironment, fromOutput } from "../support/environments.ts";
import { journey, journeys } from "../support/journey.ts";
import { reports, twoSteps } from "../support/modules.ts";
import { killLeader, killOperators, restartOperators, untilOperatorsAreReady } from "../support/operator-pods.ts";
import type { Place } from "../support/place.ts";

const alone = { manner: "alone", within: 300 } as const;

function served({ outside }: Place) {
  return anEnvironment({ name: "served", components: [{ name: "one", module: twoSteps(outside.address) }] });
}

async function wentOn(place: Place): Promise<void> {
  await place.untilReady("served");
  const runs = await place.runs("one");
  assert.equal(runs.length, 1, "no second Run");
  assert.equal(runs[0]?.status?.outcome?.result, "Applied");
  assert.equal(runs[0]?.status?.pods?.length, 1, "no second pod");
  assert.deepEqual(place.outside.heard, ["create/first", "create/second"]);
}

journeys("an operator that goes away", () => {
  journey(
    "killed, all replicas at once, in an apply: the apply goes on and its result arrives",
    async (place) => {
      const { outside } = place;
      outside.hold("create/second");
      await place.apply(served(place));
      await outside.arrival("create/second");
      await killOperators(place);
      outside.release("create/second");
      await wentOn(place);
      await untilOperatorsAreReady(place);
    },
    alone,
  );

  journey(
    "both replicas replaced in an apply, as in an upgrade: the apply goes on and its result arrives",
    async (place) => {
      const { outside } = place;
      outside.hold("create/second");
      await place.apply(served(place));
      await outside.arrival("create/second");
      await restartOperators(place);
      outside.release("create/second");
      await wentOn(place);
    },
    alone,
  );

  journey(
    "gone while an apply ends: the result waits in the pod",
    async (place) => {
      const { outside, installation } = place;
      const scale = (replicas: number) =>
        installation.kubectl.run([
          "scale",
          "deployment/terrarium-operator",
          "-n",
          "terrarium-system",
          `--replicas=${replicas}`,
        ]);
      outside.hold("create/second");
      await place.apply(served(place));
      await outside.arrival("create/second");
      const [run] = await place.runs("one");
      assert.ok(run);
      const pod = await place.podOf(run);
      try {
        await scale(0);
        await installation.kubectl.run([
          "wait",
          "pod",
          "-n",
          "terrarium-system",
          "-l",
          "app.kubernetes.io/component=operator",
          "--for=delete",
          "--timeout=60s",
        ]);
        outside.release("create/second");
        await place.untilLog(pod, /Apply complete/);
      } finally {
        await scale(2);
      }
      await wentOn(place);
      await untilOperatorsAreReady(place);
    },
    alone,
  );

  journey(
    "its leader killed again and again: everything is made once, and destroyed once",
    async (place) => {
      const { outside } = place;
      const names = ["base", "left", "right", "top"] as const;
      const needs = { base: [], left: ["base"], right: ["base"], top: ["left", "right"] } as const;
      const components = names.map((name) => ({
        name,
        module: `${needs[name].map((need) => `variable "${need}" {}\n`).join("")}${reports(outside.address, name)}output "done" {\n  value = "${name}"\n}\n`,
        variables: needs[name].map((need) => fromOutput(need, need, "done")),
      }));
      const storm = (async () => {
        for (const afterMs of [100, 2_000, 500, 4_000, 1_000]) await killLeader(place, afterMs);
      })();
      await place.apply(anEnvironment({ name: "stormy", components }));
      await Promise.all([storm, place.untilReady("stormy", { within: 240 })]);
      await place.delete("stormy");
      await killLeader(place, 1_500);
      await place.untilGone("stormy", { within: 120 });
      for (const name of names) {
        assert.equal(outside.count(`create/${name}`), 1, `${name} was made once`);
        assert.equal(outside.count(`destroy/${name}`), 1, `${name} was destroyed once`);
      }
      await untilOperatorsAreReady(place);
    },
    { ...alone, within: 480 },
  );
});
