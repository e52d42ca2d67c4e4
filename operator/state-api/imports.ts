import type { Leftover } from "../storage/journal.ts";

/** `import` blocks as Terraform (1.5 and later) and OpenTofu read them. What has no id becomes a remark: somebody has to look for it. */
export function importBlocks(run: string | undefined, leftovers: readonly Leftover[]): string {
  if (run === undefined) return "# Nothing was ever applied here.\n";
  if (leftovers.length === 0) return `# Run ${run} created nothing that is not in the state.\n`;
  const head = `# Created by Run ${run} and not in the state. Check each id; some providers import by another one.\n`;
  return [head, ...leftovers.map(block)].join("\n");
}

function block({ address, id }: Leftover): string {
  if (id !== undefined) return `import {\n  to = ${address}\n  id = ${quoted(id)}\n}\n`;
  return `# ${address} was begun, and its end is not known: it may exist.\n# import {\n#   to = ${address}\n#   id = ""\n# }\n`;
}

/** A string of the configuration language, in which `\${` and `%{` would begin a template. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[$%]\{/g, (start) => `${start[0]}${start}`);
}
