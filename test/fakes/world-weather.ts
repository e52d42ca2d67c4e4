import { diceFor } from "./world-dice.ts";
import type { Incidents } from "./world-incidents.ts";
import type { Fate, Turn } from "./world-turns.ts";

/** How often things go wrong, as fractions of requests. */
export interface Weather {
  readonly refused: number;
  readonly lost: number;
  /** Of writes: their sender dies. */
  readonly killed: number;
}

export const CALM: Weather = { refused: 0, lost: 0, killed: 0 };

export interface Sky {
  become(weather: Weather): void;
  fateOf(turn: Turn): Fate;
}

/** The fate of each request by dice of their own. Pods are killed by other means, since they send no writes. */
export function createSky(seed: number, incidents: Incidents, isPod: (turn: Turn) => boolean): Sky {
  const dice = diceFor(seed, "weather");
  let weather = CALM;
  let strokes = 0;
  const drawn = (turn: Turn): Fate => {
    const { refused, lost, killed } = weather;
    const roll = dice.fraction();
    if (roll < refused) return "refused";
    if (roll < refused + lost) return "lost";
    if (!turn.isWrite || isPod(turn) || roll >= refused + lost + killed) return "goes";
    return dice.chance(0.5) ? "killedBefore" : "killedAfter";
  };
  return {
    become(next) {
      weather = next;
    },
    fateOf(turn) {
      const fate = drawn(turn);
      if (fate === "goes") return fate;
      strokes += 1;
      return incidents.happens(`stroke-${strokes}`) ? fate : "goes";
    },
  };
}
