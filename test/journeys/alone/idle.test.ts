import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { now, operatorRequestsSince } from "../support/audit.ts";
import { anEnvironment } from "../support/environments.ts";
import { journey, journeys } from "../support/journey.ts";
import { keeps } from "../support/modules.ts";

/** A round of everything that looks by itself more often than once an hour. */
const IDLE_MS = 60_000;

journeys("costs nothing", () => {
  journey(
    "an Environment that is ready and left alone: no request but watches and the lease",
    async (place) => {
      await place.apply(anEnvironment({ name: "calm", components: [{ name: "one", module: keeps("x") }] }));
      await place.untilReady("calm");
      await place.untilLetGo("one");
      // Events are written after what they tell of.
      await pause(5_000);
      const from = await now(place);
      await pause(IDLE_MS);
      const requests = await operatorRequestsSince(place, from);
      assert.deepEqual(
        requests.map(({ verb, resource, name }) => `${verb} ${resource} ${name ?? ""}`),
        [],
      );
    },
    { within: 180, manner: "alone" },
  );
});
