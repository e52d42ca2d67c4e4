import { createInterface } from "node:readline/promises";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import type { Terminal } from "./terminal.ts";

interface Stream {
  readonly isTTY?: boolean;
}

export interface Streams {
  readonly stdin: Readable & Stream;
  readonly stdout: Writable & Stream;
  readonly stderr: Writable & Stream;
}

const HOME_AND_CLEAR = "\u001b[H\u001b[2J\u001b[3J";

export function processTerminal({ stdin, stdout, stderr }: Streams, mayColour: boolean, signal: AbortSignal): Terminal {
  const onTerminal = stdout.isTTY === true;
  const unread = new AbortController();
  // The first one says why: each further write fails as well.
  stdout.on("error", (error) => unread.abort(error));
  stderr.on("error", () => {});
  const print = (line: string) => void stdout.write(`${line}\n`);
  return {
    print,
    tell: (line) => void stderr.write(`${line}\n`),
    write: (content) => void stdout.write(content),
    read: () => text(stdin),
    colours: onTerminal && mayColour,
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    async ask(question) {
      const lines = createInterface({ input: stdin, output: stderr });
      const ended = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
      try {
        return await Promise.race([lines.question(question, { signal }), ended]);
      } finally {
        lines.close();
      }
    },
    unread: unread.signal,
    redraws: onTerminal,
    show: (screen) => print(onTerminal ? `${HOME_AND_CLEAR}${screen}` : screen),
  };
}
