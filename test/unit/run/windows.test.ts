import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { Window } from "../../../operator/api/time.ts";
import { decideRun } from "../../../operator/run/decide.ts";
import { aComponent, anEnvironment, T0 } from "../../fakes/objects.ts";
import { begun, observation } from "./observations.ts";

const HOUR_MS = 3_600_000;
const nights: Window = { name: "nights", type: "Allow", schedule: "0 22 * * *", duration: "2h", timeZone: "UTC" };
const withWindows = (metadata: Parameters<typeof anEnvironment>[1] = {}) =>
  anEnvironment([aComponent("network")], { spec: { windows: [nights] }, ...metadata });

describe("A Run without a pod", () => {
  const waiting = { status: undefined, pod: undefined } as const;

  it("is not begun when the window has closed while it waited: the next window gets a fresh one", () => {
    const decision = decideRun(observation({ ...waiting, environment: withWindows() }));
    assert.deepEqual(decision, {
      type: "cancel",
      outcome: {
        result: "Cancelled",
        reason: "WindowClosed",
        message: "no window is open: the next one opens at 2026-01-01T22:00:00Z",
      },
    });
  });

  it("is begun within the window, and outside of it when a person says why", () => {
    const nowMs = T0 + 22 * HOUR_MS;
    assert.equal(decideRun(observation({ ...waiting, environment: withWindows(), nowMs })).type, "createPod");
    const annotations = { [ANNOTATIONS.windowOverride]: "the shop is down" };
    const environment = withWindows({ metadata: { annotations } });
    assert.equal(decideRun(observation({ ...waiting, environment })).type, "createPod");
  });

  it("is not begun by a schedule that cannot be used", () => {
    const environment = anEnvironment([aComponent("network")], {
      spec: { windows: [{ ...nights, schedule: "0 0 30 2 *" }] },
    });
    const decision = decideRun(observation({ ...waiting, environment }));
    assert.equal(decision.type === "cancel" && decision.outcome.reason, "ScheduleInvalid");
  });
});

describe("A Run that is under way at the end of a window", () => {
  it("goes on", () => {
    const status = begun({ phase: "Applying", applyStartedAt: new Date(T0).toISOString() });
    assert.equal(decideRun(observation({ status, environment: withWindows() })).type, "wait");
  });
});
