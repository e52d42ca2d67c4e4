import assert from "node:assert/strict";
import type { Run } from "../../../operator/api/run.ts";
import { act } from "../../../operator/environment/act.ts";
import type { EnvironmentPorts } from "../../../operator/environment/ports.ts";
import { HOUR, hourly, type Story, watching, whenDue } from "./drift-story.ts";

describe("Checks that are over", () => {
  const removedIn = async (story: Story): Promise<readonly string[]> => {
    const removed: string[] = [];
    const ports = {
      now: () => new Date(story.now()),
      async createRun() {},
      async deleteRun({ spec, metadata }: Run) {
        removed.push(`${spec.operation} ${spec.component} #${spec.number}`);
        story.forgetRun(metadata.name);
      },
    } satisfies Partial<EnvironmentPorts>;
    await act(
      story.environment(),
      story.decision(),
      ports as unknown as EnvironmentPorts,
      new AbortController().signal,
    );
    return removed;
  };

  it("go when a newer one is over, but for the one that found what is recorded", async () => {
    const story = watching(hourly, ["network"]);
    const looks = ["Unchanged", "Drifted", "Drifted", "Unchanged", "Unchanged"] as const;
    const removed: (readonly string[])[] = [];
    for (const result of looks) {
      whenDue(story);
      story.endCheck("network", result);
      removed.push(await removedIn(story));
    }
    assert.deepEqual(removed, [
      [],
      ["Check network #2"],
      ["Check network #3"],
      ["Check network #4"],
      ["Check network #5"],
    ]);
  });

  it("take no Run of a change with them", async () => {
    const story = watching(hourly, ["network"]);
    for (let looks = 0; looks < 20; looks += 1) {
      whenDue(story);
      story.endCheck("network", "Unchanged");
      await removedIn(story);
    }
    assert.deepEqual(
      story.runs().map(({ spec }) => spec.operation),
      ["Apply", "Check"],
    );
  });

  it("that cannot begin leave the component ready", async () => {
    const story = watching(hourly, ["network"]);
    story.pass(1.1 * HOUR);
    const ports = { createRun: () => Promise.reject(new Error("exceeded quota")) } satisfies Partial<EnvironmentPorts>;
    const acted = await act(
      story.environment(),
      story.decision(),
      ports as unknown as EnvironmentPorts,
      new AbortController().signal,
    );
    assert.equal(acted.errors.length, 1);
    assert.ok("verdicts" in acted.decision && acted.decision.verdicts[0]?.state === "Ready");
  });
});
