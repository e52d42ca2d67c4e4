import type { Lagging } from "./world-caches.ts";
import type { Dice } from "./world-dice.ts";
import type { Fate, Turn } from "./world-turns.ts";

/** What may happen next, and how likely it is beside the others. */
export interface Choice {
  readonly weight: number;
  readonly value: () => void;
}

export interface ChoiceParts {
  /** Requests that wait. */
  readonly turns: readonly Turn[];
  readonly caches: readonly Lagging[];
  /** What schedulers and kubelets may do. */
  readonly pods: readonly (() => void)[];
  readonly fateOf: (turn: Turn) => Fate;
  readonly dice: Dice;
  readonly collectGarbage: () => void;
}

/** All of it, before every step of the world: one list is filled, since more of them would take longer than the step. */
export function choicesOf({ turns, caches, pods, fateOf, dice, collectGarbage }: ChoiceParts): readonly Choice[] {
  const choices: Choice[] = [];
  for (const turn of turns)
    choices.push(
      turn.sender.frozen
        ? { weight: 0.4, value: () => turn.open("goes") }
        : { weight: 4, value: () => turn.open(fateOf(turn)) },
    );
  for (const cache of caches) {
    if (cache.behind() > 0) choices.push({ weight: 2, value: () => cache.deliver(1 + dice.below(cache.behind())) });
    if (cache.isTorn()) choices.push({ weight: 0.1, value: () => cache.relist() });
  }
  for (const value of pods) choices.push({ weight: 2, value });
  choices.push({ weight: 0.3, value: collectGarbage });
  return choices;
}
