import assert from "node:assert/strict";
import { signalProcesses } from "../support/containers.ts";
import { statesWaitingIn, whileStoreIsFull } from "../support/full-store.ts";
import { applyHalfWay, goOn, takenDown, wentOn } from "../support/half-way.ts";
import { journey, journeys } from "../support/journey.ts";
import { operatorLogs } from "../support/operator-pods.ts";
import { states } from "../support/states.ts";

journeys("a store that is full", () => {
  journey(
    "takes no state in an apply: it waits in the pod, also where the agent is killed, and is stored once there is room",
    async (place) => {
      const pod = await applyHalfWay(place);
      await whileStoreIsFull(place, async () => {
        goOn(place);
        await place.untilLog(pod, /Apply complete/);
        const waiting = await statesWaitingIn(pod);
        assert.deepEqual(resourcesOf(waiting.at(-1)), ["first", "second"]);
        await place.untilRun("one", ({ status }) => /do not delete the pod/.test(status?.message ?? ""));

        await signalProcesses(pod, "agent", /./, "SIGKILL");
        const [run] = await place.runs("one");
        assert.ok(run);
        const restarted = await place.podOf(run, { after: pod });
        assert.deepEqual(await statesWaitingIn(restarted), waiting);
        assert.equal(run.status?.finishedAt, undefined, "nothing is told about the end of what is not stored");
        assert.match(await operatorLogs(place), /create \S+\/secrets: 403 Forbidden/);
      });
      await wentOn(place);
      const { pull, get } = states(place, "served.one");
      assert.deepEqual(resourcesOf(await pull()), ["first", "second"]);
      const { status } = await get();
      assert.equal(status.recovery, undefined, "it is the state, not a copy that somebody has to look at");
      assert.equal(status.journal?.entries, 4, "begun and made, twice");
      await takenDown(place);
    },
    { manner: "alone", within: 300 },
  );
});

function resourcesOf(state = "{}"): readonly string[] {
  const { resources = [] } = JSON.parse(state) as { readonly resources?: readonly { readonly name: string }[] };
  return resources.map(({ name }) => name).toSorted();
}
