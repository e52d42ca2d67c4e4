/** How a piece of text is meant; what that looks like is the terminal's affair. */
export type Style = "good" | "bad" | "warn" | "quiet" | "strong";

export type Paint = (style: Style, text: string) => string;

export interface Styled {
  readonly style: Style;
  readonly text: string;
}

export type Cell = string | Styled;

export const plain: Paint = (_, text) => text;

const CODES: Readonly<Record<Style, string>> = { good: "32", bad: "31", warn: "33", quiet: "2", strong: "1" };

export const coloured: Paint = (style, text) => (text === "" ? "" : `\u001b[${CODES[style]}m${text}\u001b[0m`);

const textOf = (cell: Cell): string => (typeof cell === "string" ? cell : cell.text);
const widthOf = (text: string): number => [...text].length;

/** Columns two spaces apart, as wide as what is in them; a column in which nothing stands is left out. */
export function table(heads: readonly string[], rows: readonly (readonly Cell[])[], paint: Paint): readonly string[] {
  const used = heads.map((_, index) => rows.some((row) => textOf(row[index] ?? "") !== ""));
  const kept = (row: readonly Cell[]) => row.filter((_, index) => used[index]);
  const head = kept(heads.map((text): Styled => ({ style: "quiet", text })));
  const lines = [head, ...rows.map(kept)];
  const widths = head.map((_, index) => Math.max(...lines.map((row) => widthOf(textOf(row[index] ?? "")))));
  return lines.map((row) => rowText(row, widths, paint));
}

function rowText(row: readonly Cell[], widths: readonly number[], paint: Paint): string {
  const filled = row.findLastIndex((cell) => textOf(cell) !== "");
  return row
    .slice(0, filled + 1)
    .map((cell, index) => {
      const text = textOf(cell);
      const shown = typeof cell === "string" ? text : paint(cell.style, text);
      return index === filled ? shown : shown + " ".repeat((widths[index] ?? 0) - widthOf(text) + 2);
    })
    .join("");
}

/** As kubectl says it: 45s, 12m, 3h20m, 2d4h, 40d. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 10) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  return days < 10 && hours % 24 !== 0 ? `${days}d${hours % 24}h` : `${days}d`;
}

export function age(since: string | undefined, now: Date): string {
  return since === undefined || since === "" ? "" : span(now.getTime() - Date.parse(since));
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** Cut at a width, with a sign that more was there. */
export const cut = (text: string, width: number): string =>
  widthOf(text) <= width ? text : `${[...text].slice(0, width - 1).join("")}…`;
