/** Whatever goes wrong, and whatever people do: each under a name, by which another telling of the story can leave it out. */
export interface Incidents {
  /** False where this telling leaves it out. */
  happens(name: string): boolean;
  /** Names of all that have happened, in order. */
  readonly names: readonly string[];
}

export function createIncidents(without: ReadonlySet<string> = new Set()): Incidents {
  const names: string[] = [];
  return {
    names,
    happens(name) {
      if (without.has(name)) return false;
      names.push(name);
      return true;
    },
  };
}
