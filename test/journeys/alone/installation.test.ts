import assert from "node:assert/strict";
import { uninstalledWhile } from "../support/chart.ts";
import { untilEnded } from "../support/containers.ts";
import { applyHalfWay, goOn, takenDown, wentOn } from "../support/half-way.ts";
import { journey, journeys } from "../support/journey.ts";

journeys("the installation", () => {
  journey(
    "uninstalled in an apply and installed again: definitions and Environments stay, the apply ends by itself and is recorded, nothing is orphaned",
    async (place) => {
      const pod = await applyHalfWay(place);
      const before = await place.environment("served");
      await uninstalledWhile(place, async () => {
        goOn(place);
        await untilEnded(pod, "engine", /tofu apply/);
        const roles = ["get", "clusterrole", "terrarium-operator", "--ignore-not-found", "--output", "name"];
        assert.equal(await place.kubectl(roles), "", "it is not installed");
        assert.equal((await place.environment("served")).metadata.uid, before.metadata.uid);
      });
      await wentOn(place);
      await takenDown(place);
    },
    { manner: "alone", within: 300 },
  );
});
