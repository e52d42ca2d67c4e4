/**
 * Reads JSON from its first byte to its last and keeps none of it: as a tree, a document of many small values takes thirty times its size, and more.
 * Every byte is looked at once, whatever the shape, and nothing is decoded but what the listener asks for.
 */

export type JsonKind = "object" | "list" | "text" | "number" | "other";

/** Hears of each value down to a depth: the number of objects and lists that it is in. */
export interface JsonListener {
  /** Asked anew for each value; it may change where a member of the document begins. */
  readonly deepest: number;
  /** `at` is its first byte. `key` is undefined in a list and for the document; a long one is `""`. */
  begins(depth: number, key: string | undefined, kind: JsonKind, at: number): void;
  /** `to` is the byte after it; `values` counts those that were read until then. */
  ends(depth: number, to: number, values: number): void;
}

/** The message says where, and never quotes the document. */
export class NotJson extends Error {
  override readonly name = "NotJson";
}

/** Go's encoding/json, with which both engines read a state, goes no deeper. */
export const DEEPEST_JSON = 10_000;
/** Between two pieces others may have their turn. */
const PIECE_BYTES = 256 * 1024;
/** Of a key, with its quotes: as many as are needed to escape a name that anybody looks for. */
const LONGEST_KEY_BYTES = 128;

/** Takes what `JSON.parse` takes, down to `DEEPEST_JSON`. Each step reads one piece. Throws `NotJson`, and what the listener throws. */
export function* walkJson(bytes: Buffer, listener: JsonListener): Generator<void, void> {
  const walk = new JsonWalk(bytes, listener);
  for (let limit = PIECE_BYTES; limit < bytes.length; limit += PIECE_BYTES) {
    walk.readTo(limit);
    yield;
  }
  walk.readTo(bytes.length);
  walk.end();
}

type Expected = "value" | "value or end" | "key" | "key or end" | "colon" | "comma or end" | "nothing";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** What may follow a backslash, but for `u`. */
const ESCAPED = new Set(Buffer.from('"\\/bfnrt'));
const WORDS = ["true", "false", "null"].map((word) => Buffer.from(word));

class JsonWalk {
  readonly #bytes: Buffer;
  readonly #listener: JsonListener;
  /** 1 for each object around, 0 for each list. */
  readonly #isObject = new Uint8Array(DEEPEST_JSON);
  #at = 0;
  #depth = 0;
  #values = 0;
  #expected: Expected = "value";
  #key: string | undefined;

  constructor(bytes: Buffer, listener: JsonListener) {
    this.#bytes = bytes;
    this.#listener = listener;
  }

  readTo(limit: number): void {
    while (this.#at < limit) this.#readToken(this.#bytes[this.#at] ?? 0);
  }

  end(): void {
    if (this.#expected !== "nothing") throw new NotJson("it ends too early");
  }

  #readToken(byte: number): void {
    switch (byte) {
      case 0x20:
      case 0x09:
      case 0x0a:
      case 0x0d:
        this.#at += 1;
        return;
      case 0x7b: // {
        this.#open("object");
        return;
      case 0x5b: // [
        this.#open("list");
        return;
      case 0x7d: // }
        this.#close(1, "key or end");
        return;
      case 0x5d: // ]
        this.#close(0, "value or end");
        return;
      case 0x3a: // :
        this.#pass("colon", "value");
        return;
      case 0x2c: // ,
        this.#pass("comma or end", this.#isObject[this.#depth - 1] === 1 ? "key" : "value");
        return;
      case QUOTE:
        if (this.#expected === "key" || this.#expected === "key or end") this.#readKey();
        else this.#scalar("text");
        return;
      default:
        this.#scalar(byte === 0x2d || isDigit(byte) ? "number" : "other");
    }
  }

  #pass(expected: Expected, next: Expected): void {
    if (this.#expected !== expected) throw notJsonAt(this.#at);
    this.#expected = next;
    this.#at += 1;
  }

  #readKey(): void {
    const to = endOfText(this.#bytes, this.#at);
    if (this.#depth <= this.#listener.deepest) this.#key = keyIn(this.#bytes, this.#at, to);
    this.#expected = "colon";
    this.#at = to;
  }

  #scalar(kind: "text" | "number" | "other"): void {
    this.#begin(kind);
    this.#finish(END_OF[kind](this.#bytes, this.#at));
  }

  #open(kind: "object" | "list"): void {
    this.#begin(kind);
    if (this.#depth === DEEPEST_JSON) throw new NotJson(`it is nested more than ${DEEPEST_JSON} times`);
    this.#isObject[this.#depth] = kind === "object" ? 1 : 0;
    this.#depth += 1;
    this.#expected = kind === "object" ? "key or end" : "value or end";
    this.#at += 1;
  }

  #close(isObject: 0 | 1, whereEmpty: Expected): void {
    const isRight = this.#depth > 0 && this.#isObject[this.#depth - 1] === isObject;
    if (!isRight || (this.#expected !== "comma or end" && this.#expected !== whereEmpty)) throw notJsonAt(this.#at);
    this.#depth -= 1;
    this.#finish(this.#at + 1);
  }

  #begin(kind: JsonKind): void {
    if (this.#expected !== "value" && this.#expected !== "value or end") throw notJsonAt(this.#at);
    this.#values += 1;
    if (this.#depth <= this.#listener.deepest) this.#listener.begins(this.#depth, this.#key, kind, this.#at);
    this.#key = undefined;
  }

  #finish(to: number): void {
    this.#at = to;
    this.#expected = this.#depth === 0 ? "nothing" : "comma or end";
    if (this.#depth <= this.#listener.deepest) this.#listener.ends(this.#depth, to, this.#values);
  }
}

const notJsonAt = (at: number) => new NotJson(`it is no JSON at byte ${at}`);

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;
const isHex = (byte: number | undefined): boolean =>
  isDigit(byte) || (byte !== undefined && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);

function keyIn(bytes: Buffer, at: number, to: number): string {
  return to - at > LONGEST_KEY_BYTES ? "" : (JSON.parse(bytes.toString("utf8", at, to)) as string);
}

function endOfText(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) return at + 1;
    if (byte < 0x20) throw notJsonAt(at);
    if (byte === BACKSLASH) at = endOfEscape(bytes, at) - 1;
  }
  throw new NotJson("it ends too early");
}

function endOfEscape(bytes: Buffer, start: number): number {
  const byte = bytes[start + 1] ?? 0;
  if (ESCAPED.has(byte)) return start + 2;
  if (byte !== 0x75) throw notJsonAt(start);
  for (let at = start + 2; at < start + 6; at += 1) if (!isHex(bytes[at])) throw notJsonAt(at);
  return start + 6;
}

function endOfNumber(bytes: Buffer, start: number): number {
  const first = bytes[start] === 0x2d ? start + 1 : start;
  let at = bytes[first] === 0x30 ? first + 1 : endOfDigits(bytes, first);
  if (bytes[at] === 0x2e) at = endOfDigits(bytes, at + 1);
  if (((bytes[at] ?? 0) | 0x20) !== 0x65) return at;
  const sign = bytes[at + 1];
  return endOfDigits(bytes, sign === 0x2b || sign === 0x2d ? at + 2 : at + 1);
}

/** There must be one at least. */
function endOfDigits(bytes: Buffer, start: number): number {
  let at = start;
  while (isDigit(bytes[at])) at += 1;
  if (at === start) throw notJsonAt(at);
  return at;
}

function endOfWord(bytes: Buffer, at: number): number {
  const word = WORDS.find((one) => bytes.subarray(at, at + one.length).equals(one));
  if (word === undefined) throw notJsonAt(at);
  return at + word.length;
}

const END_OF = { text: endOfText, number: endOfNumber, other: endOfWord } as const;
