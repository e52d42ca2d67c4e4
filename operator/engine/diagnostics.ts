/** What an engine complained about, as messages for a person. Values of variables stay out: snippets are never kept. */
import { cutBytes } from "../api/cut-bytes.ts";
import { type Diagnostic, parseEvent } from "./events.ts";

export { cutBytes } from "../api/cut-bytes.ts";
export type { Diagnostic } from "./events.ts";

/** At most so many errors are told one by one. */
const toldErrors = 10;
const detailBytes = 1024;

const box = /^\s*[╷╵]\s*$/;
const heading = /^(Error|Warning): (.*)$/;
const place = /^\s+on (.+?) line (\d+)/;
const subject = /^\s+with ([^\s,]+),?$/;

/**
 * Reads the diagnostics of a command from its lines, JSON events and plain text mixed: `init` of Terraform before 1.9
 * prints text only, with or without a box around it, and any engine does when it cannot even start.
 */
export function readDiagnostics(lines: readonly string[]): Diagnostic[] {
  const found: Diagnostic[] = [];
  const text: string[] = [];
  for (const line of lines) {
    const event = parseEvent(line);
    if (event.type === "Diagnostic") found.push(event.diagnostic);
    else if (event.type === "Text" && !line.startsWith("{")) text.push(line);
  }
  return [...found, ...readTextDiagnostics(text)];
}

function readTextDiagnostics(lines: readonly string[]): Diagnostic[] {
  const plain = lines.filter((line) => !box.test(line)).map(withoutDecoration);
  const starts = plain.flatMap((line, at) => (heading.test(line) ? [at] : []));
  return starts.map((start, index) => textDiagnostic(plain.slice(start, starts[index + 1])));
}

function withoutDecoration(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with an escape character
  return line.replace(/\u001b\[[0-9;]*m/g, "").replace(/^\s*│ ?/, "");
}

/** A heading, perhaps a place with the source quoted, then the detail; blank lines between them. */
function textDiagnostic(lines: readonly string[]): Diagnostic {
  const [, severity, firstLine] = heading.exec(lines[0] ?? "") ?? [];
  const paragraphs = paragraphsOf(lines.slice(1));
  const wrapped = lines[1] !== undefined && lines[1].trim() !== "" ? paragraphs.shift() : undefined;
  const [first] = paragraphs;
  const located =
    first?.some((line) => place.test(line) || subject.test(line)) === true ? paragraphs.shift() : undefined;
  const at = located?.map((line) => place.exec(line)).find((match) => match !== null);
  const address = located?.map((line) => subject.exec(line)?.[1]).find((name) => name !== undefined);
  return {
    severity: severity === "Warning" ? "warning" : "error",
    summary: [firstLine, ...(wrapped ?? [])].join(" ").trim(),
    detail: paragraphs.map(unwrapped).join("\n\n"),
    ...(address === undefined ? {} : { address }),
    ...(at?.[1] === undefined ? {} : { file: at[1], line: Number(at[2]) }),
  };
}

function paragraphsOf(lines: readonly string[]): string[][] {
  const paragraphs: string[][] = [];
  let open: string[] = [];
  for (const line of [...lines, ""]) {
    if (line.trim() !== "") open.push(line);
    else if (open.length > 0) {
      paragraphs.push(open);
      open = [];
    }
  }
  return paragraphs;
}

/** Text was broken at the width of a terminal; indented lines were meant as they are. */
function unwrapped(lines: readonly string[]): string {
  return lines
    .map((line) => (/^\s/.test(line) ? `\n${line}` : ` ${line}`))
    .join("")
    .trim();
}

export function errorsOf(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.filter(({ severity }) => severity === "error");
}

/** One sentence: which resource, where, what, why. */
export function describeDiagnostic({ summary, detail, address, file, line }: Diagnostic): string {
  const where = file === undefined ? "" : ` (${file}${line === undefined ? "" : `:${line}`})`;
  const who = address === undefined ? "" : `${address}: `;
  const why = detail.trim() === "" ? "" : `: ${cutBytes(detail.trim().replace(/\s*\n\s*/g, " "), detailBytes)}`;
  return `${who}${cutBytes(summary, 256)}${where}${why}`;
}

/** The first ten errors, one per line, each resource's own error before general ones. */
export function describeErrors(diagnostics: readonly Diagnostic[]): string {
  const errors = errorsOf(diagnostics);
  const sorted = [
    ...errors.filter(({ address }) => address !== undefined),
    ...errors.filter((e) => e.address === undefined),
  ];
  const told = [...new Set(sorted.map(describeDiagnostic))];
  const rest = told.length - toldErrors;
  return [...told.slice(0, toldErrors), ...(rest > 0 ? [`and ${rest} more errors`] : [])].join("\n");
}
