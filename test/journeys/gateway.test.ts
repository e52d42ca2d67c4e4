import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { anEnvironment } from "./support/environments.ts";
import { journey, journeys } from "./support/journey.ts";
import { twoSteps } from "./support/modules.ts";
import { cutOffGateway, restoreGateway } from "./support/operator-pods.ts";

journeys("a gateway that is away", () => {
  journey(
    "for two minutes in an apply: nothing is lost, the apply ends well",
    async (place) => {
      const { outside } = place;
      outside.hold("create/second");
      const components = [{ name: "one", module: twoSteps(outside.address) }];
      await place.apply(anEnvironment({ name: "cut", components }));
      await outside.arrival("create/second");
      const [run] = await place.runs("one");
      assert.ok(run);
      const pod = await place.podOf(run);
      await cutOffGateway(pod);
      const backAt = performance.now() + 120_000;
      outside.release("create/second");
      // The engine ends meanwhile: its last state can only be in the agent's spool.
      await pause(Math.max(0, backAt - performance.now()));
      assert.equal((await place.runs("one"))[0]?.status?.finishedAt, undefined, "the result cannot have arrived");
      await restoreGateway(pod);
      await place.untilReady("cut");
      const runs = await place.runs("one");
      assert.equal(runs.length, 1);
      assert.equal(runs[0]?.status?.outcome?.result, "Applied");
      assert.equal(runs[0]?.status?.outcome?.resources, 2);
      assert.deepEqual(outside.heard, ["create/first", "create/second"]);
      await place.delete("cut");
      await place.untilGone("cut");
      assert.deepEqual(outside.heard.slice(2), ["destroy/second", "destroy/first"]);
    },
    { within: 300 },
  );
});
