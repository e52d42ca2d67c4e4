/** The lines that show how one resource or output changes, as `show` prints them, without anything that is sensitive. */
import { isFields, isNumber } from "./plan-document.ts";
import { inside, isHidden, isSame, type Level, namesIn } from "./plan-level.ts";
import { type Mask, SENSITIVE } from "./plan-secrets.ts";

const UNKNOWN = "(known after apply)";
/** Characters of one text, of one line's value, and of one key. */
const LONGEST_VALUE = 500;
const LONGEST_LINE = 1500;
const LONGEST_KEY = 120;
const DEEPEST = 12;

interface Entry {
  readonly label: string;
  readonly level: Level;
  readonly forces?: boolean;
}

/** Where lines are written to: how far in, and what must not be seen. */
interface Page {
  readonly mask: Mask;
  readonly indent: string;
  readonly depth: number;
}

const deeper = (page: Page): Page => ({ ...page, indent: `${page.indent}    `, depth: page.depth + 1 });

/** Inside of a resource: what changes, name by name; what does not is counted. */
export function attributeLines(level: Level, mask: Mask, indent: string, forces: ReadonlySet<string>): string[] {
  const entries = namedEntries(level, mask).map((entry) => ({ ...entry, forces: forces.has(entry.name) }));
  return entryLines(entries, "attribute", { mask, indent, depth: 1 });
}

/** One value by itself, as an output is. */
export function valueLines(name: string, level: Level, mask: Mask, indent: string): string[] {
  const label = keyOf(name, mask);
  return linesOf({ label, level }, label.length, { mask, indent, depth: 1 });
}

function namedEntries(level: Level, mask: Mask): readonly (Entry & { readonly name: string })[] {
  const names = [...namesIn(level)].sort();
  return names.map((name) => ({ name, label: keyOf(name, mask), level: inside(level, name) }));
}

function entryLines(entries: readonly Entry[], what: string, page: Page): string[] {
  const changed = entries.filter(({ level }) => !isSame(level));
  const width = Math.max(0, ...changed.map(({ label }) => label.length));
  const kept = entries.filter(({ level }) => isSame(level) && level.now !== null).length;
  const note = kept === 0 ? [] : [`${page.indent}  # (${kept} unchanged ${what}${kept === 1 ? "" : "s"} hidden)`];
  return [...changed.flatMap((entry) => linesOf(entry, width, page)), ...note];
}

function linesOf({ label, level, forces }: Entry, width: number, page: Page): string[] {
  const { indent, depth } = page;
  const head = `${indent}${signOf(level)} ${label === "" ? "" : `${label.padEnd(width)} = `}`;
  const note = forces ? " # forces replacement" : "";
  const brackets = depth === DEEPEST ? undefined : opensTo(level);
  const gone = depth === 1 && isGone(level) ? " -> null" : "";
  if (brackets === undefined) return [`${head}${transition(level, page)}${gone}${note}`];
  const [open, close] = brackets;
  return [`${head}${open}${note}`, ...contents(level, deeper(page)), `${indent}  ${close}${gone}`];
}

/** Down into objects and lists, while both sides have the same shape and nothing of it is hidden or unknown as a whole. */
function opensTo(level: Level): readonly [string, string] | undefined {
  if (isHidden(level) || level.unknown === true) return undefined;
  const sides = [level.old, level.now].filter((side) => side !== null);
  if (sides.length > 0 && sides.every(Array.isArray)) return ["[", "]"];
  return sides.length > 0 && sides.every(isFields) ? ["{", "}"] : undefined;
}

function contents(level: Level, page: Page): string[] {
  if (!Array.isArray(level.old ?? level.now)) return entryLines(namedEntries(level, page.mask), "value", page);
  const lengths = [level.old, level.now, level.unknown].map((side) => (Array.isArray(side) ? side.length : 0));
  const items = Array.from({ length: Math.max(...lengths) }, (_, at) => ({ label: "", level: inside(level, at) }));
  return entryLines(items, "element", page);
}

const isGone = ({ now, unknown }: Level): boolean => now === null && unknown !== true;

function signOf(level: Level): string {
  if (level.old === null) return "+";
  return isGone(level) ? "-" : "~";
}

function transition(level: Level, { mask }: Page): string {
  const { old, now, unknown, oldMark, newMark } = level;
  if (isHidden(level)) return SENSITIVE;
  if (isGone(level)) return written(old, oldMark, mask);
  const after = unknown === true ? UNKNOWN : written(now, newMark, mask);
  return old === null ? after : `${written(old, oldMark, mask)} -> ${after}`;
}

/** A value on one line. What is marked inside of it is hidden there. */
function written(value: unknown, mark: unknown, mask: Mask): string {
  const text = compact(value, mark, mask, 0);
  return text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)}… (cut)` : text;
}

function compact(value: unknown, mark: unknown, mask: Mask, depth: number): string {
  if (mark === true) return SENSITIVE;
  if (depth === DEEPEST) return "…";
  const markAt = (key: string | number) =>
    Array.isArray(mark) ? mark[Number(key)] : isFields(mark) ? mark[key] : undefined;
  const at = (item: unknown, key: string | number) => compact(item, markAt(key), mask, depth + 1);
  if (Array.isArray(value)) return `[${value.map(at).join(", ")}]`;
  if (!isFields(value)) return scalar(value, mask);
  const parts = Object.keys(value).sort();
  return parts.length === 0
    ? "{}"
    : `{ ${parts.map((key) => `${keyOf(key, mask)} = ${at(value[key], key)}`).join(", ")} }`;
}

function scalar(value: unknown, mask: Mask): string {
  if (typeof value !== "string") return isNumber(value) ? mask(String(value)) : String(value);
  const text = JSON.stringify(mask(value, LONGEST_VALUE).slice(0, LONGEST_VALUE));
  return value.length > LONGEST_VALUE ? `${text}… (cut)` : text;
}

function keyOf(name: string, mask: Mask): string {
  const shown = mask(name, LONGEST_KEY);
  const short = shown.length > LONGEST_KEY ? `${shown.slice(0, LONGEST_KEY)}…` : shown;
  return /^[A-Za-z_][\w-]*$/.test(short) ? short : JSON.stringify(short);
}
