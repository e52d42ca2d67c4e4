/** One bug, seeded on purpose: a promise's guard taken away by a small edit. */
export interface Mutant {
  /** `M01` … */
  readonly id: string;
  /** What is wrong with the product, in a few words. */
  readonly bug: string;
  readonly edits: readonly Edit[];
  /** Test files that should notice, the quickest first. */
  readonly tests: readonly string[];
}

/** A bug that must be noticed with real pods: images are built from the spoilt copy, and one journey runs on a cluster. */
export interface JourneyMutant extends Mutant {
  /** Words of the journey's name: a whole file takes minutes. */
  readonly named: string;
  /** The row of what goes wrong every day, in a few words. */
  readonly row: string;
}

export interface Edit {
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

/** The code has changed under a mutant: it has to be seeded anew, or it proves nothing. */
export class AnchorLost extends Error {
  override readonly name = "AnchorLost";
  constructor(file: string, find: string, count: number) {
    super(`${file} has ${count === 0 ? "no" : count} place(s) that say:\n${find}`);
  }
}

/**
 * To be tried with this test file alone, since where a unit test comes first nobody sees what the others would notice: those that are asked for,
 * or else all that name it. Throws a TypeError where there are none.
 */
export function triedBy(mutants: readonly Mutant[], file: string, ids: readonly string[]): readonly Mutant[] {
  const meant = mutants.filter(({ id, tests }) => (ids.length > 0 ? ids.includes(id) : tests.includes(file)));
  if (meant.length === 0) throw new TypeError(`no mutant names the test file ${file}: which ones are to be tried?`);
  return meant.map((mutant) => ({ ...mutant, tests: [file] }));
}

export function edited(text: string, { file, find, replace }: Edit): string {
  const count = text.split(find).length - 1;
  if (count !== 1) throw new AnchorLost(file, find, count);
  return text.replace(find, () => replace);
}
