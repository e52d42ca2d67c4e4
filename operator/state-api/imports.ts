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
  const imported = new Set<string>();
  return applies.map((apply) => section(apply, imported)).join("\n");
}

function section({ run, leftovers }: LeftByRun, imported: Set<string>): string {
  if (leftovers.length === 0) return `# Run ${run} created nothing that is not in the state.\n`;
  const head = `# Created by Run ${run} and not in the state. Check each id; some providers import by another one.\n`;
  const blocks = leftovers.map((leftover) => {
    const isTaken = imported.has(leftover.address);
    imported.add(leftover.address);
    return block(leftover, isTaken);
  });
  return [head, ...blocks].join("\n");
}

function block({ address, id, besides }: Leftover, isTaken: boolean): string {
  if (id === undefined)
    return remark(`${address} was begun, and its end is not known: it may exist.`, importBlock(address, ""));
  const found = importBlock(address, id);
  // Engines pass over a block whose address is in the state, and refuse a second one.
  if (besides) return remark(`${address}: the state has what was there before. Take that out of it first.`, found);
  if (isTaken) return remark(`${address} was made more than once. One can be imported: remove the other.`, found);
  return found;
}

const importBlock = (address: string, id: string): string => `import {\n  to = ${address}\n  id = ${quoted(id)}\n}\n`;

const remark = (why: string, blockText: string): string => `# ${why}\n${blockText.replace(/^(?=.)/gm, "# ")}`;

/** A string of the configuration language, in which `\${` and `%{` would begin a template. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[$%]\{/g, (start) => `${start[0]}${start}`);
}
