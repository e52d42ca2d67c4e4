import assert from "node:assert/strict";
import type { Run } from "../../../operator/api/run.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

export const HOUR_MS = 3_600_000;
export type Story = ReturnType<typeof aStory>;
type Options = NonNullable<Parameters<typeof anEnvironment>[1]>;

/** An apply was cut off, and the next round has come. */
export function cutOff(spec: Options["spec"] = {}): Story {
  const story = aStory(anEnvironment([aComponent("a")], { spec }));
  story.round();
  story.end("a", "Interrupted", { message: "the pod died while it applied" });
  story.round();
  return story;
}

export function open(story: Story): Run {
  const [run] = story.openRuns();
  assert.ok(run, "a Run is open");
  return run;
}

/** Whom the open Run asks. */
export const asks = (story: Story) => open(story).spec.rules?.approval;

export const edit = (story: Story, value: number): void =>
  story.edit((environment) => ({
    ...environment,
    spec: { ...environment.spec, variables: [{ name: "x", value }] },
  }));

export const FOR_ONE = { required: 1, expiresAfter: "24h" };
