import { aRecord } from "../../fakes/objects.ts";
import type { aStory } from "./story.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

type Story = ReturnType<typeof aStory>;

/** The record of a component whose Run 1 had begun is lost, and everybody knows. */
export function loseRecord(story: Story, component: string): void {
  story.records.delete(component);
  story.pass(HOUR_MS);
}

/** A person pushes a state in its place; that Runs had begun is told to the store when a person writes (`seenByRuns`). */
export function makeUpFor(story: Story, component: string): void {
  const at = new Date(story.now()).toISOString();
  const written = { how: "Push", by: "jane", at, serial: 9, newestRun: 1, replaced: true } as const;
  story.records.set(component, aRecord(component, { written }));
  story.handOver(component, 9, { by: "jane" });
  story.pass(MINUTE_MS);
  story.round();
}
