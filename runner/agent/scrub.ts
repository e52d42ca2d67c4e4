/**
 * Takes secret values out of text. One automaton (Aho and Corasick's) looks for all spellings of all secrets in a single
 * pass, and knows at each place how much of the text may still become a secret: so it works on a stream, too.
 *
 * White space and the bars that engines draw beside their errors count as one blank: a secret that was wrapped or
 * indented is still found.
 */
import { formsOf } from "./secret-forms.ts";

export const replacement = "(sensitive)";

interface Node {
  readonly next: Map<number, Node>;
  fail: Node | undefined;
  /** Length of the longest secret that ends here, in normalised characters. */
  match: number;
  readonly depth: number;
}

const blank = 32;

export class Scrubber {
  readonly #forms = new Set<string>();
  #root: Node | undefined;

  /** Adds values that must not be seen from now on. */
  add(...values: readonly string[]): void {
    for (const value of values) for (const form of formsOf(value)) this.#forms.add(normalised(form));
    this.#root = undefined;
  }

  text(text: string): string {
    const stream = this.stream();
    return stream.write(text) + stream.end();
  }

  /** A deep copy of a JSON value with every string in it scrubbed, names of members as well. */
  value<T>(value: T): T {
    return this.#copy(value) as T;
  }

  /** For output that comes in pieces: what may be the beginning of a secret is kept back until it is sure. */
  stream(): ScrubStream {
    this.#root ??= build(this.#forms);
    return new ScrubStream(this.#root);
  }

  #copy(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.#copy(item));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.text(key), this.#copy(item)]));
  }
}

export class ScrubStream {
  readonly #root: Node;
  #node: Node;
  #held = "";
  /** For each normalised character that may belong to a match: where it begins in the held text. */
  #starts: number[] = [];
  /** End of the text that is settled as part of a secret, and its begin. */
  #hit: { from: number; to: number } | undefined;
  #lastBlank = false;
  #scanned = 0;

  constructor(root: Node) {
    this.#root = root;
    this.#node = root;
  }

  write(text: string): string {
    this.#held += text;
    let out = "";
    for (; this.#scanned < this.#held.length; this.#scanned++) {
      const code = fold(this.#held.charCodeAt(this.#scanned));
      if (code === blank && this.#lastBlank) continue;
      this.#lastBlank = code === blank;
      this.#step(code, this.#scanned);
    }
    out += this.#release();
    return out;
  }

  end(): string {
    this.#node = this.#root;
    this.#starts = [];
    this.#lastBlank = false;
    return this.#release();
  }

  #step(code: number, at: number): void {
    this.#node = follow(this.#node, code, this.#root);
    this.#starts.push(at);
    const { match, depth } = this.#node;
    if (match > 0) {
      const from = this.#starts[this.#starts.length - match] ?? 0;
      // Secrets that overlap become one mark.
      this.#hit = this.#hits(from, at + 1);
    }
    if (this.#starts.length > depth) this.#starts = depth === 0 ? [] : this.#starts.slice(-depth);
  }

  readonly #found: { from: number; to: number }[] = [];

  #hits(from: number, to: number): { from: number; to: number } {
    let begin = from;
    while (this.#found.length > 0) {
      const last = this.#found[this.#found.length - 1];
      if (last === undefined || last.to <= begin) break;
      begin = Math.min(begin, last.from);
      this.#found.pop();
    }
    const hit = { from: begin, to };
    this.#found.push(hit);
    return hit;
  }

  /** Everything before the place where a secret may have begun. */
  #release(): string {
    let safe = this.#starts[0] ?? this.#held.length;
    const open = this.#found.at(-1);
    // A secret that a longer one may yet swallow stays until that is known.
    if (open !== undefined && open.to > safe) safe = Math.min(safe, open.from);
    let out = "";
    let at = 0;
    for (const { from, to } of this.#found) {
      if (to > safe) break;
      out += this.#held.slice(at, from) + replacement;
      at = to;
    }
    out += this.#held.slice(at, safe);
    this.#forget(safe);
    return out;
  }

  #forget(count: number): void {
    this.#held = this.#held.slice(count);
    this.#scanned -= count;
    this.#starts = this.#starts.map((start) => start - count);
    const rest = this.#found
      .filter(({ to }) => to > count)
      .map(({ from, to }) => ({ from: from - count, to: to - count }));
    this.#found.splice(0, this.#found.length, ...rest);
  }
}

/** `│`, `╷`, `╵` and white space are one kind of character. */
function fold(code: number): number {
  const isBlank =
    code === 32 || (code >= 9 && code <= 13) || code === 0xa0 || code === 0x2502 || code === 0x2575 || code === 0x2577;
  return isBlank ? blank : code;
}

function normalised(text: string): string {
  return text.replace(/[\s│╵╷]+/g, " ").trim();
}
