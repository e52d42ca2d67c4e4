import type { Leftover } from "../storage/leftovers.ts";

/** What the apply of one Run has made and no state has. */
export interface LeftByRun {
  readonly run: string;
  readonly leftovers: readonly Leftover[];
}

/**
 * `import` blocks as Terraform (1.5 and later) and OpenTofu read them; the newest Run comes first. What cannot be imported as it is becomes a
 * remark: somebody has to look for it.
 */
export function importBlocks(applies: readonly LeftByRun[]): string {
  if (applies.length === 0) return "# Nothing was ever applied here.\n";
  const importable = applies.flatMap(({ run, leftovers }) =>
    leftovers.filter(isImportable).map(({ address }) => [address, run] as const),
  );
  const newest = new Map(importable.toReversed());
  return applies.map((apply) => section(apply, newest)).join("\n");
}

/** Engines pass over a block whose address is in the state. */
const isImportable = ({ id, replaces }: Leftover): boolean => id !== undefined && !replaces;

/** `newest`: which Run has made what can be imported, by address. */
function section({ run, leftovers }: LeftByRun, newest: ReadonlyMap<string, string>): string {
  if (leftovers.length === 0) return `# Run ${run} created nothing that is not in the state.\n`;
  const head = `# Created by Run ${run} and not in the state. Check each id; some providers import by another one.\n`;
  return [head, ...leftovers.map((leftover) => block(leftover, newest.get(leftover.address) === run))].join("\n");
}

function block({ address, id, replaces }: Leftover, isNewest: boolean): string {
  if (id === undefined)
    return remark(`${address} was begun, and its end is not known: it may exist.`, importBlock(address, ""));
  const found = importBlock(address, id);
  if (replaces) return remark(`${address}: the state has what was there before. Take that out of it first.`, found);
  // Engines refuse a second block.
  if (!isNewest) return remark(`${address} was made more than once. One can be imported: remove the other.`, found);
  return found;
}

const importBlock = (address: string, id: string): string => `import {\n  to = ${address}\n  id = ${quoted(id)}\n}\n`;

const remark = (why: string, blockText: string): string => `# ${why}\n${blockText.replace(/^(?=.)/gm, "# ")}`;

/** A string of the configuration language, in which `\${` and `%{` would begin a template. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[$%]\{/g, (start) => `${start[0]}${start}`);
}
