/** Cuts a byte stream into lines, and a long line into parts, so that no line needs more memory than one part. */
import { StringDecoder } from "node:string_decoder";

export const partLength = 64 * 1024;

export type OnLine = (text: string, more: boolean) => void;

export class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #onLine: OnLine;
  #pending = "";

  constructor(onLine: OnLine) {
    this.#onLine = onLine;
  }

  write(chunk: Buffer): void {
    const lines = (this.#pending + this.#decoder.write(chunk)).split("\n");
    this.#pending = lines.pop() ?? "";
    for (const line of lines) this.#emit(line.endsWith("\r") ? line.slice(0, -1) : line);
    while (this.#pending.length > partLength) {
      const end = cut(this.#pending);
      this.#onLine(this.#pending.slice(0, end), true);
      this.#pending = this.#pending.slice(end);
    }
  }

  end(): void {
    const rest = this.#pending + this.#decoder.end();
    this.#pending = "";
    if (rest !== "") this.#emit(rest);
  }

  #emit(line: string): void {
    let rest = line;
    while (rest.length > partLength) {
      const end = cut(rest);
      this.#onLine(rest.slice(0, end), true);
      rest = rest.slice(end);
    }
    this.#onLine(rest, false);
  }
}

/** Never between the two halves of one character. */
function cut(text: string): number {
  const last = text.charCodeAt(partLength - 1);
  return last >= 0xd800 && last <= 0xdbff ? partLength - 1 : partLength;
}
