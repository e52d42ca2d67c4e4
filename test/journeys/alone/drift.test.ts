import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { awaitCondition } from "../../../tools/cluster/await-condition.ts";
import { now, operatorRequestsSince } from "../support/audit.ts";
import { anEnvironment } from "../support/environments.ts";
import { journey, journeys } from "../support/journey.ts";
import { keeps } from "../support/modules.ts";
import { patience } from "../support/patience.ts";

/** An interval of a minute, the tenth by which it may be later, and a pod on a busy machine. */
const aLook = { within: 150 };

journeys("looks for drift", () => {
  journey(
    "at what is unchanged cost five requests, and two more where the gateway has just started",
    async (place) => {
      const drift = { interval: "1m" };
      await place.apply(anEnvironment({ name: "steady", drift, components: [{ name: "one", module: keeps("x") }] }));
      await place.untilReady("steady");
      const first = await place.untilRunEnds("one", 2, aLook);
      assert.equal(first.spec.operation, "Check");
      // What follows from its end is done by then.
      await pause(3_000);
      const ready = await place.environment("steady");
      const from = await now(place);
      const second = await place.untilRunEnds("one", 3, aLook);
      assert.equal(second.status?.outcome?.result, "Unchanged");
      await awaitCondition("the look before to be deleted", 60 * patience, async () => {
        const left = (await place.runs("one")).some(({ spec }) => spec.number === first.spec.number);
        return !left || "it is there";
      });
      // What is too much would follow from its end.
      await pause(3_000);
      const requests = (await operatorRequestsSince(place, from)).map(
        ({ verb, resource, subresource }) => `${verb} ${resource}${subresource === undefined ? "" : `/${subresource}`}`,
      );
      const reads = requests.filter((request) => request === "get secrets");
      assert.ok(reads.length <= 2, `the state and the archive, once for each replica: ${requests}`);
      assert.deepEqual(requests.filter((request) => request !== "get secrets").toSorted(), [
        "create pods",
        "create runs",
        "create tokenreviews",
        "delete runs",
        "patch runs/status",
      ]);
      const after = await place.environment("steady");
      assert.equal(after.metadata.resourceVersion, ready.metadata.resourceVersion, "the Environment is not written to");
      console.error(
        `  a look at what is unchanged: ${requests.length} requests of the operator (${requests.join(", ")})`,
      );
    },
    { within: 300, manner: "alone" },
  );
});
