/** The connection to the agent: made again whenever it breaks, as long as the launcher lives. */
import { createConnection, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import {
  decodeToLauncher,
  encodeMessage,
  type FromLauncher,
  type HelloMessage,
  messageReader,
  type ToLauncher,
} from "../engine-channel.ts";

export interface LinkOptions {
  readonly socketPath: string;
  readonly firstConnectMs: number;
  /** An agent that takes nothing for so long counts as away: the connection is dropped and made again. */
  readonly stallMs: number;
  readonly hello: () => HelloMessage;
  readonly onMessage: (message: ToLauncher) => void;
  readonly onChange: (connected: boolean) => void;
  readonly log: (text: string) => void;
}

export class NoAgent extends Error {
  override readonly name = "NoAgent";
}

export class Link {
  readonly #options: LinkOptions;
  #socket: Socket | undefined;
  #stall: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Resolves after `stop`; rejects when the agent never appeared. */
  async keep(): Promise<void> {
    const limit = Date.now() + this.#options.firstConnectMs;
    let everConnected = false;
    while (!this.#stopped) {
      const socket = await connect(this.#options.socketPath);
      if (socket !== undefined) {
        everConnected = true;
        await this.#serve(socket);
      }
      if (!everConnected && Date.now() > limit) {
        throw new NoAgent(`no agent at ${this.#options.socketPath} within ${this.#options.firstConnectMs} ms`);
      }
      // Short, since it is part of every start; a try costs one system call.
      if (!this.#stopped) await delay(25);
    }
  }

  send(message: FromLauncher): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    const flowing = socket.write(encodeMessage(message));
    if (!flowing && this.#stall === undefined) {
      this.#stall = setTimeout(() => socket.destroy(), this.#options.stallMs);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#socket?.end();
  }

  async #serve(socket: Socket): Promise<void> {
    this.#socket = socket;
    const read = messageReader((text) => this.#options.onMessage(decodeToLauncher(text)));
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => {});
    socket.on("drain", () => this.#clearStall());
    socket.on("data", (chunk) => {
      try {
        read(chunk);
      } catch (error) {
        this.#options.log(error instanceof Error ? error.message : String(error));
        socket.destroy();
      }
    });
    this.send(this.#options.hello());
    this.#options.onChange(true);
    await closed;
    this.#clearStall();
    this.#socket = undefined;
    this.#options.onChange(false);
  }

  #clearStall(): void {
    clearTimeout(this.#stall);
    this.#stall = undefined;
  }
}

function connect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once("connect", () => resolve(socket));
    socket.once("error", () => resolve(undefined));
  });
}
