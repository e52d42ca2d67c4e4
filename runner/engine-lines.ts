/** Long lines cross the channel in parts; the agent needs them whole, since a secret or an event may span two parts. */
import type { LineMessage } from "./engine-channel.ts";

export interface EngineLine {
  readonly id: string;
  readonly stream: "stdout" | "stderr";
  readonly text: string;
  /** The line was longer than `maxLineLength`; the rest of it is gone. */
  readonly truncated: boolean;
  /** So many lines before this one are gone because the agent was away. */
  readonly dropped: number;
}

interface Partial {
  readonly text: string;
  readonly truncated: boolean;
  readonly dropped: number;
}

export class LineJoiner {
  readonly #limit: number;
  readonly #partial = new Map<string, Partial>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The whole line once its last part is there. */
  join(message: LineMessage): EngineLine | undefined {
    const { id, stream } = message;
    const key = `${id} ${stream}`;
    const before = this.#partial.get(key) ?? { text: "", truncated: false, dropped: 0 };
    const room = Math.max(0, this.#limit - before.text.length);
    const joined = {
      text: before.text + message.text.slice(0, room),
      truncated: before.truncated || message.text.length > room,
      dropped: before.dropped + (message.dropped ?? 0),
    };
    if (message.more === true) {
      this.#partial.set(key, joined);
      return undefined;
    }
    this.#partial.delete(key);
    return { id, stream, ...joined };
  }

  /** After a reconnect, the rest of a begun line may never come. */
  clear(): void {
    this.#partial.clear();
  }
}
