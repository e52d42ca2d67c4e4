import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { ProgressReport } from "../../../operator/gateway/protocol.ts";
import { Progress } from "../../../runner/agent/progress.ts";
import { Scrubber } from "../../../runner/agent/scrub.ts";

/** A step is told when it has lasted for a second. */
const TOLD_MS = 1_200;

describe("The progress of a Run", () => {
  it("is that a state is only in the pod, whatever else goes on, and what goes on once it is safe", async function () {
    this.timeout(20_000);
    const told: ProgressReport[] = [];
    const progress = new Progress(async (report) => void told.push(report), new Scrubber());
    progress.step("apply", 2);
    await delay(TOLD_MS);
    progress.unsaved(true);
    progress.event({ type: "ApplyComplete", address: "a", action: "create", elapsedSeconds: 1 } as never);
    await delay(TOLD_MS);
    progress.unsaved(false);
    await delay(TOLD_MS);
    progress.stop();
    assert.deepEqual(told, [
      { step: "apply", done: 0, total: 2 },
      { step: "save state" },
      { step: "apply", done: 1, total: 2 },
    ]);
  });
});
