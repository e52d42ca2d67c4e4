/** Stories of environments that sleep at night. */
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import { statusFor } from "../../../operator/environment/status.ts";
import { aComponent, anEnvironment, T0 } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

export const HOUR_MS = 3_600_000;

/** Stories begin at midnight (UTC), when it is awake: it falls asleep at eight in the evening, and wakes at seven. */
export const sleep = { schedule: "0 20 * * *", wake: "0 7 * * *", timeZone: "UTC" };
export const WAKES = "2026-01-02T07:00:00Z";
export const nights = { lifetime: { sleep } as NonNullable<EnvironmentSpec["lifetime"]> };

export const destroyed = { sleep: { destroy: true } } as const;
export const scaled = { sleep: { variables: [{ name: "replicas", value: 0 }] } };

/** The network stays, the database is scaled, and what uses it goes. */
export const shop = (spec: Partial<EnvironmentSpec> = {}) =>
  anEnvironment(
    [
      aComponent("network"),
      aComponent("database", { needs: ["network"], ...scaled }),
      aComponent("cache", { needs: ["network"], ...destroyed }),
      aComponent("app", { needs: ["database", "cache"], ...destroyed }),
    ],
    { spec: { ...nights, ...spec } },
  );

export type Story = ReturnType<typeof aStory>;

export const edit = (story: Story, spec: Partial<EnvironmentSpec>): void =>
  story.edit((environment) => ({ ...environment, spec: { ...environment.spec, ...spec } }));

export const statusOf = (story: Story) => statusFor(story.environment(), story.decision(), { lines: [] }, new Date(T0));
export const conditions = (story: Story) =>
  statusOf(story)?.conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`);

/** Applied on the day, and now it is evening. */
export function evening(spec: Partial<EnvironmentSpec> = {}): Story {
  const story = aStory(shop(spec));
  story.pass(8 * HOUR_MS);
  story.settle();
  story.pass(12 * HOUR_MS);
  return story;
}

/** Fast asleep. */
export function night(spec: Partial<EnvironmentSpec> = {}): Story {
  const story = evening(spec);
  story.settle();
  return story;
}

export const DAY = ["Apply network #1", "Apply database #1", "Apply cache #1", "Apply app #1"];
