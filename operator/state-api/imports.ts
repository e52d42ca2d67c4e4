import { MASK } from "../engine/mask.ts";
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

/** Engines pass over a block whose address is in the state, and what a secret was taken out of names nothing. */
const isImportable = (leftover: Leftover): boolean =>
  leftover.id !== undefined && !leftover.replaces && masked(leftover) === undefined;

/** `newest`: which Run has made what can be imported, by address. */
function section({ run, leftovers }: LeftByRun, newest: ReadonlyMap<string, string>): string {
  if (leftovers.length === 0) return `# Run ${run} created nothing that is not in the state.\n`;
  const head = `# Created by Run ${run} and not in the state. Check each id; some providers import by another one.\n`;
  const isSecond = ({ address }: Leftover) => (newest.get(address) ?? run) !== run;
  return [head, ...leftovers.map((leftover) => block(leftover, isSecond(leftover)))].join("\n");
}

function block(leftover: Leftover, isSecond: boolean): string {
  const { address, id = "" } = leftover;
  const found = importBlock(address, id);
  const why = [obstacle(leftover, isSecond), masked(leftover)].filter((one) => one !== undefined);
  return why.length === 0 ? found : remark(why.join(" "), found);
}

function obstacle({ address, id, replaces }: Leftover, isSecond: boolean): string | undefined {
  if (id === undefined) return `${address} was begun, and its end is not known: it may exist.`;
  if (replaces) return `${address}: the state has what was there before. Take that out of it first.`;
  // Engines refuse a second block.
  return isSecond ? `${address} was made more than once. One can be imported: remove the other.` : undefined;
}

/** Journals hold no secret value, wherever an engine has told it. */
function masked({ address, id }: Leftover): string | undefined {
  const places = [...(address.includes(MASK) ? ["the address"] : []), ...(id?.includes(MASK) ? ["the id"] : [])];
  if (places.length === 0) return undefined;
  const where = `${places.join(" and ")} of ${address}`;
  return `A secret value was taken out of ${where}: find out what it is, and write it in the place of ${MASK}.`;
}

const importBlock = (address: string, id: string): string => `import {\n  to = ${address}\n  id = ${quoted(id)}\n}\n`;

const remark = (why: string, blockText: string): string => `# ${why}\n${blockText.replace(/^(?=.)/gm, "# ")}`;

/** A string of the configuration language, in which `\${` and `%{` would begin a template. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[$%]\{/g, (start) => `${start[0]}${start}`);
}
