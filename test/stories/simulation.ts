import type { EnvironmentSpec } from "../../operator/api/environment.ts";
import { diceFor } from "../fakes/world-dice.ts";
import { chaos } from "./chaos.ts";
import { type Shrunk, shrink } from "./shrink.ts";
import { type Telling, telling } from "./telling.ts";

/** The story of a seed, told without some of its incidents. */
export const storyOf = (seed: number, without: ReadonlySet<string> = new Set()): Promise<Telling> =>
  telling({ seed, maxRuns: seed % 3 === 0 ? 2 : 10, without }, (told) => chaos(told, driftOf(seed)));

/** One story in three looks for drift, and half of those bring back what they find. */
export function driftOf(seed: number): Pick<EnvironmentSpec, "drift"> {
  const dice = diceFor(seed, "drift");
  const [looks, corrects] = [dice.chance(1 / 3), dice.chance(0.5)];
  return looks ? { drift: { interval: "10m", ...(corrects ? { action: "Correct" as const } : {}) } } : {};
}

export const replayCommand = (seed: number, without: Iterable<string> = []): string => {
  const names = [...without].join(",");
  return `npm run simulate -- --seed ${seed}${names === "" ? "" : ` --without ${names}`}`;
};

/** A story that went wrong, and the shortest one in it, as lines to read. */
export async function reportOf(seed: number, first: Telling, tell: typeof storyOf = storyOf): Promise<string> {
  const shrunk = await shrink(first, (without) => tell(seed, without));
  return [
    `seed ${seed}: ${first.trouble?.message.split("\n")[0]}`,
    `to see it again: ${replayCommand(seed)}`,
    ...shortestOf(seed, first, shrunk),
  ].join("\n");
}

function shortestOf(seed: number, first: Telling, { telling, without, tellings }: Shrunk): readonly string[] {
  return [
    `${telling.incidents.length} of its ${first.incidents.length} incidents are enough (found in ${tellings} tellings): ${replayCommand(seed, without)}`,
    "",
    ...telling.lines.map((line) => `  ${line}`),
    "",
    telling.trouble?.message.split("\n--- what happened last ---")[0] ?? "",
  ];
}
