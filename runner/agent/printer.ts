/** The only one who prints: whole lines, without secrets. */
import type { Scrubber, ScrubStream } from "./scrub.ts";

export class Printer {
  readonly #scrubber: Scrubber;
  readonly #write: (text: string) => void;

  constructor(scrubber: Scrubber, write: (text: string) => void) {
    this.#scrubber = scrubber;
    this.#write = write;
  }

  /** A sentence of the agent's own. */
  say(text: string): void {
    this.#write(`${this.#scrubber.text(text)}\n`);
  }

  /** For the lines of one stream of a command: a secret may reach over several of them. */
  stream(): LinePrinter {
    return new LinePrinter(this.#scrubber.stream(), this.#write);
  }
}

export class LinePrinter {
  readonly #scrub: ScrubStream;
  readonly #write: (text: string) => void;
  #pending = "";

  constructor(scrub: ScrubStream, write: (text: string) => void) {
    this.#scrub = scrub;
    this.#write = write;
  }

  line(text: string): void {
    this.#pending += this.#scrub.write(`${text}\n`);
    const end = this.#pending.lastIndexOf("\n") + 1;
    if (end === 0) return;
    this.#write(this.#pending.slice(0, end));
    this.#pending = this.#pending.slice(end);
  }

  end(): void {
    const rest = this.#pending + this.#scrub.end();
    this.#pending = "";
    if (rest !== "") this.#write(rest.endsWith("\n") ? rest : `${rest}\n`);
  }
}
