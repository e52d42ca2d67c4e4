/**
 * Finds the blocks of an HCL file, their labels and the raw text of their attributes: enough to know what a module
 * declares before an engine runs. It evaluates nothing, and leaves syntax errors to the engine. (The complete parser,
 * compiled to WebAssembly, takes a quarter of a second to load; this one takes none.)
 */

export interface HclAttribute {
  /** The expression as written, without the comment behind it. */
  readonly raw: string;
  readonly line: number;
}

export interface HclBody {
  readonly attributes: ReadonlyMap<string, HclAttribute>;
  readonly blocks: readonly HclBlock[];
}

export interface HclBlock extends HclBody {
  readonly type: string;
  readonly labels: readonly string[];
  readonly line: number;
}

/** The text is not HCL as far as this reader can tell. */
export class HclUnreadable extends Error {
  override readonly name = "HclUnreadable";
  readonly line: number;
  constructor(line: number) {
    super(`not readable at line ${line}`);
    this.line = line;
  }
}

const identifier = /[\p{ID_Start}_][\p{ID_Continue}-]*/uy;
/** Deeper nesting is no configuration but an attempt to overflow the stack. */
const maxDepth = 200;

export function readHcl(text: string): HclBody {
  const reader = new Reader(text.startsWith("\uFEFF") ? text.slice(1) : text);
  return reader.body(0);
}

/** The value of a plain string expression; `undefined` when it is anything else, or has a template in it. */
export function literalString(raw: string): string | undefined {
  if (!/^"(?:[^"\\]|\\.)*"$/s.test(raw) || /(^|[^$%])[$%]\{/.test(raw)) return undefined;
  try {
    return JSON.parse(raw.replaceAll("$${", "${").replaceAll("%%{", "%{"));
  } catch {
    return undefined;
  }
}

/** `true` and `"true"` are the same to an engine. */
export function literalBoolean(raw: string | undefined): boolean | undefined {
  const bare = raw?.replace(/^\(+|\)+$/g, "").trim();
  if (bare === "true" || bare === '"true"') return true;
  if (bare === "false" || bare === '"false"') return false;
  return undefined;
}

class Reader {
  readonly #text: string;
  #at = 0;
  #counted = { position: 0, line: 1 };

  constructor(text: string) {
    this.#text = text;
  }

  body(depth: number): HclBody {
    const attributes = new Map<string, HclAttribute>();
    const blocks: HclBlock[] = [];
    if (depth > maxDepth) throw this.#unreadable();
    for (;;) {
      this.#skipBlank(true);
      if (this.#at >= this.#text.length && depth === 0) return { attributes, blocks };
      if (this.#peek() === "}" && depth > 0) {
        this.#at++;
        return { attributes, blocks };
      }
      const start = this.#at;
      const name = this.#identifier();
      this.#skipBlank(false);
      if (this.#peek() === "=") {
        this.#at++;
        attributes.set(name, { line: this.#line(start), raw: this.#expression(depth) });
      } else {
        blocks.push(this.#block(name, start, depth));
      }
    }
  }

  #block(type: string, start: number, depth: number): HclBlock {
    const labels: string[] = [];
    for (;;) {
      this.#skipBlank(false);
      const next = this.#peek();
      if (next === "{") break;
      if (next === '"') {
        const from = this.#at;
        this.#string(depth);
        labels.push(literalString(this.#text.slice(from, this.#at)) ?? this.#text.slice(from + 1, this.#at - 1));
      } else {
        labels.push(this.#identifier());
      }
    }
    this.#at++;
    const line = this.#line(start);
    return { type, labels, line, ...this.body(depth + 1) };
  }

  /** Up to the end of the line, or up to the brace that closes the block of a one-line block. */
  #expression(depth: number): string {
    let raw = "";
    for (;;) {
      const next = this.#peek();
      if (next === undefined || next === "\n" || next === "}") return raw.trim();
      if (this.#skipComment()) continue;
      const from = this.#at;
      this.#piece(depth);
      raw += this.#text.slice(from, this.#at);
    }
  }

  /** One character, or one whole string, heredoc or bracketed group. */
  #piece(depth: number): void {
    const next = this.#peek();
    if (next === '"') this.#string(depth + 1);
    else if (next === "(" || next === "[" || next === "{") this.#group(depth + 1);
    else if (this.#text.startsWith("<<", this.#at)) this.#heredoc(depth + 1);
    else this.#at++;
  }

  #group(depth: number): void {
    if (depth > maxDepth) throw this.#unreadable();
    this.#at++;
    for (;;) {
      const next = this.#peek();
      if (next === undefined) throw this.#unreadable();
      if (next === ")" || next === "]" || next === "}") {
        this.#at++;
        return;
      }
      if (!this.#skipComment()) this.#piece(depth);
    }
  }

  #string(depth: number): void {
    this.#at++;
    for (;;) {
      const next = this.#peek();
      if (next === undefined || next === "\n") throw this.#unreadable();
      if (next === '"') {
        this.#at++;
        return;
      }
      if (next === "\\") this.#at += 2;
      else if (!this.#template(depth)) this.#at++;
    }
  }

  /** Steps over `${…}` and `%{…}`, and over the escapes `$${` and `%%{`, which open nothing. */
  #template(depth: number): boolean {
    const mark = this.#peek();
    if (mark !== "$" && mark !== "%") return false;
    if (this.#text.startsWith(`${mark}${mark}{`, this.#at)) {
      this.#at += 3;
      return true;
    }
    if (this.#text[this.#at + 1] !== "{") return false;
    this.#at++;
    this.#group(depth + 1);
    return true;
  }

  #heredoc(depth: number): void {
    this.#at += this.#text[this.#at + 2] === "-" ? 3 : 2;
    const mark = this.#identifier();
    this.#toLineEnd();
    let lineStart = ++this.#at;
    for (;;) {
      const next = this.#peek();
      if (next === "\n" || next === undefined) {
        if (this.#text.slice(lineStart, this.#at).trim() === mark) return;
        if (next === undefined) throw this.#unreadable();
        lineStart = ++this.#at;
      } else if (!this.#template(depth)) {
        this.#at++;
      }
    }
  }

  #skipBlank(lines: boolean): void {
    for (;;) {
      const next = this.#peek();
      if (next === " " || next === "\t" || next === "\r" || (lines && next === "\n")) this.#at++;
      else if (!this.#skipComment()) return;
    }
  }

  #skipComment(): boolean {
    if (this.#peek() === "#" || this.#text.startsWith("//", this.#at)) {
      this.#toLineEnd();
      return true;
    }
    if (!this.#text.startsWith("/*", this.#at)) return false;
    const end = this.#text.indexOf("*/", this.#at + 2);
    if (end < 0) throw this.#unreadable();
    this.#at = end + 2;
    return true;
  }

  #toLineEnd(): void {
    const end = this.#text.indexOf("\n", this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  #identifier(): string {
    identifier.lastIndex = this.#at;
    const found = identifier.exec(this.#text)?.[0];
    if (found === undefined) throw this.#unreadable();
    this.#at += found.length;
    return found;
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  /** Positions come almost in order, so counting goes on from the last one: a large file costs one pass. */
  #line(position: number): number {
    if (position < this.#counted.position) this.#counted = { position: 0, line: 1 };
    let { line } = this.#counted;
    let at = this.#text.indexOf("\n", this.#counted.position);
    for (; at >= 0 && at < position; at = this.#text.indexOf("\n", at + 1)) line++;
    this.#counted = { position, line };
    return line;
  }

  #unreadable(): HclUnreadable {
    return new HclUnreadable(this.#line(this.#at));
  }
}
