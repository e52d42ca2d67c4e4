import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { ProgressReport } from "../../../operator/gateway/protocol.ts";
import { Progress } from "../../../runner/agent/progress.ts";
import { Scrubber } from "../../../runner/agent/scrub.ts";
import { attempt } from "../../../runner/agent/story.ts";
import { aWorkOrder } from "../../fakes/gateway.ts";
import { agentPlace, benchOf } from "./benches.ts";

describe("An agent that has work", () => {
  it("is heard of at once, also while its source is on the way, or the engine's container", async () => {
    const place = await agentPlace();
    const told: ProgressReport[] = [];
    const progress = new Progress(async (report) => told.push(report) > 0, new Scrubber());
    const comes = Promise.withResolvers<never>();
    const bench = benchOf({ ...place.speaker, order: aWorkOrder(), engine: comes.promise });
    const attempted = attempt({ ...bench, progress });
    while (told.length === 0) await delay(20);
    comes.reject(new Error("it never came"));
    await attempted;
    progress.stop();
    await place.remove();
    assert.deepEqual(told, [{ step: "source" }]);
  });
});
