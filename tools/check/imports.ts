import { dirname, join, normalize } from "node:path";

/** One import of a file: a package, a `node:` module, or a path from the root of the repository. */
export interface Import {
  readonly target: string;
  readonly typeOnly: boolean;
  readonly line: number;
}

export interface SourceFile {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

const STATEMENT = /^\s*(?:import|export)\s+(type\s+)?(?:[^;"'`]*?\sfrom\s+)?"([^"\n]+)"/gm;
const DYNAMIC = /\bimport\(\s*["'`]([^"'`]+)["'`]/g;

/** What a file imports, by statement or dynamically. Files are formatted, so imports begin a line and use double quotes. */
export function bareImports(path: string, text: string): readonly Import[] {
  const line = (index: number) => text.slice(0, index).split("\n").length;
  const found: Import[] = [];
  for (const match of text.matchAll(STATEMENT)) {
    const [statement, type, target = ""] = match;
    const start = match.index + statement.search(/\S/);
    found.push({ target: resolved(path, target), typeOnly: type !== undefined, line: line(start) });
  }
  for (const match of text.matchAll(DYNAMIC)) {
    found.push({ target: resolved(path, match[1] ?? ""), typeOnly: false, line: line(match.index) });
  }
  return found;
}

function resolved(from: string, target: string): string {
  return target.startsWith(".") ? normalize(join(dirname(from), target)) : target;
}

/** The text with comments blanked, line for line: a rule about code must not trip over a sentence about it. */
export function withoutComments(text: string): string {
  const blank = (comment: string) => comment.replaceAll(/[^\n]/g, " ");
  return text.replaceAll(/("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (all, literal) =>
    literal === undefined ? blank(all) : all,
  );
}
