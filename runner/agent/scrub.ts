/**
 * Takes secret values out of text, also of text that comes in pieces: what may be the beginning of a secret is kept
 * back until it is sure.
 *
 * White space and the bars that engines draw beside their errors count as one blank: a secret that was wrapped or
 * indented is still found.
 */
import { MASK } from "../../operator/engine/mask.ts";
import { type AutomatonNode, buildAutomaton, follow } from "./automaton.ts";
import { formsOf } from "./secret-forms.ts";

/** Every form is longer; one with several blanks between two characters becomes as short as this. */
const shortestFolded = 3;

const blank = 32;
const bars = "│╵╷";

interface Span {
  readonly from: number;
  readonly to: number;
}

export class Scrubber {
  readonly #forms = new Set<string>();
  #root: AutomatonNode | undefined;

  /** Adds values that must not be seen from now on. */
  add(...values: readonly string[]): void {
    for (const form of values.flatMap(formsOf)) {
      const text = form.replace(/[\s│╵╷]+/g, " ").trim();
      if (text.length >= shortestFolded) this.#forms.add(text);
    }
    this.#root = undefined;
  }

  text(text: string): string {
    const stream = this.stream();
    return stream.write(text) + stream.end();
  }

  /** A copy of a JSON value with every string in it scrubbed, names of members as well. */
  value<T>(value: T): T {
    return this.#copy(value) as T;
  }

  stream(): ScrubStream {
    this.#root ??= buildAutomaton(this.#forms);
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
  readonly #root: AutomatonNode;
  #node: AutomatonNode;
  #held = "";
  #scanned = 0;
  #afterBlank = false;
  /** Where the characters begin that the automaton still holds for the beginning of a secret. */
  #open: number[] = [];
  /** Secrets that were found in the held text: in order, none touching the inside of another. */
  #found: Span[] = [];

  constructor(root: AutomatonNode) {
    this.#root = root;
    this.#node = root;
  }

  /** Returns what is sure by now. */
  write(text: string): string {
    this.#held += text;
    for (; this.#scanned < this.#held.length; this.#scanned++) {
      const code = folded(this.#held, this.#scanned);
      const repeated = code === blank && this.#afterBlank;
      this.#afterBlank = code === blank;
      if (!repeated) this.#step(code);
    }
    return this.#release();
  }

  /** Nothing follows: returns the rest. */
  end(): string {
    this.#node = this.#root;
    this.#open = [];
    this.#afterBlank = false;
    return this.#release();
  }

  #step(code: number): void {
    this.#node = follow(this.#root, this.#node, code);
    this.#open.push(this.#scanned);
    const { match, depth } = this.#node;
    if (match > 0) this.#mark({ from: this.#open[this.#open.length - match] ?? 0, to: this.#scanned + 1 });
    if (this.#open.length > depth) this.#open.splice(0, this.#open.length - depth);
  }

  /** Secrets that overlap become one. */
  #mark({ from, to }: Span): void {
    let begin = from;
    for (let last = this.#found.at(-1); last !== undefined && last.to > begin; last = this.#found.at(-1)) {
      begin = Math.min(begin, last.from);
      this.#found.pop();
    }
    this.#found.push({ from: begin, to });
  }

  #release(): string {
    const open = this.#open[0] ?? this.#held.length;
    // A secret that reaches into the open part may yet grow.
    const growing = this.#found.find(({ to }) => to > open);
    const sure = Math.min(open, growing?.from ?? open);
    let out = "";
    let at = 0;
    for (const { from, to } of this.#found) {
      if (to > sure) break;
      out += this.#held.slice(at, from) + MASK;
      at = to;
    }
    out += this.#held.slice(at, sure);
    this.#forget(sure);
    return out;
  }

  #forget(count: number): void {
    if (count === 0) return;
    this.#held = this.#held.slice(count);
    this.#scanned -= count;
    this.#open = this.#open.map((start) => start - count);
    this.#found = this.#found
      .filter(({ to }) => to > count)
      .map(({ from, to }) => ({ from: from - count, to: to - count }));
  }
}

function folded(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code === 32 || (code >= 9 && code <= 13) || code === 0xa0) return blank;
  return code > 0x2000 && bars.includes(text.charAt(at)) ? blank : code;
}
