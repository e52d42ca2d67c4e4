/** The agent's side of the channel: it listens, the launcher of the engine container connects. */
import { EventEmitter } from "node:events";
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import {
  ChannelError,
  decodeFromLauncher,
  type ExitMessage,
  encodeMessage,
  type FromLauncher,
  type HelloMessage,
  type LineMessage,
  messageReader,
  type PreparedMessage,
  type RunMessage,
  type ToLauncher,
} from "./engine-channel.ts";
import { type EngineLine, LineJoiner } from "./engine-lines.ts";
import { takeBackFarewell } from "./farewell.ts";

export type { EngineLine } from "./engine-lines.ts";

export type EngineCommand = Omit<RunMessage, "type">;
export type EngineExit = Omit<ExitMessage, "type" | "seq" | "id">;
export type PreparedTree = Omit<PreparedMessage, "type" | "seq" | "id">;

export interface EngineConnectOptions {
  readonly socketPath: string;
  /** How long the launcher may take to connect at first. */
  readonly connectTimeoutMs: number;
  /** How long the launcher may be away before the engine counts as lost; it reconnects at once while it lives. */
  readonly lostAfterMs?: number;
  /** Longer lines are cut. */
  readonly maxLineLength?: number;
  readonly signal?: AbortSignal;
}

/** The engine container is gone (killed, out of memory, evicted) while something was expected of it. */
export class EngineLost extends Error {
  override readonly name = "EngineLost";
}

/** The engine container refuses to end: it holds the only copy of a state. */
export class EngineHeld extends Error {
  override readonly name = "EngineHeld";
}

/**
 * Listens on the socket and resolves once the launcher has said hello. `run` with the id of a command that already ran
 * (the agent was restarted) starts nothing: it resolves with that command's own result.
 */
export async function connectEngine(options: EngineConnectOptions): Promise<EngineClient> {
  takeBackFarewell(options.socketPath);
  rmSync(options.socketPath, { force: true });
  const client = new EngineClient(options);
  await client.listen();
  return client;
}

interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

interface Listener {
  readonly id: string;
  readonly onLine: (line: EngineLine) => void | Promise<void>;
}

export class EngineClient {
  readonly #options: EngineConnectOptions;
  readonly #server: Server;
  readonly #events = new EventEmitter();
  readonly #exits = new Map<string, Waiting<EngineExit>>();
  readonly #trees = new Map<string, Waiting<PreparedTree>>();
  readonly #outgoing = new Map<string, ToLauncher>();
  readonly #lines: LineJoiner;
  #listener: Listener | undefined;
  #socket: Socket | undefined;
  #hello: HelloMessage | undefined;
  #lost: NodeJS.Timeout | undefined;
  #isLost = false;
  #terminating = false;
  #finishing = false;
  #inOrder: Promise<void> = Promise.resolve();

  constructor(options: EngineConnectOptions) {
    this.#options = options;
    this.#lines = new LineJoiner(options.maxLineLength ?? 8 * 1024 * 1024);
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** What the launcher said about itself when it last connected. */
  get hello(): HelloMessage | undefined {
    return this.#hello;
  }

  /** The engine container got SIGTERM: a running command was told to end, nothing new will start. */
  get terminating(): boolean {
    return this.#terminating;
  }

  onTerminating(listener: () => void): void {
    if (this.#terminating) listener();
    else this.#events.once("terminating", listener);
  }

  async listen(): Promise<void> {
    const { socketPath, connectTimeoutMs, signal } = this.#options;
    const limit = AbortSignal.timeout(connectTimeoutMs);
    const ended = signal === undefined ? limit : AbortSignal.any([signal, limit]);
    try {
      await new Promise<void>((resolve, reject) => {
        const stop = () =>
          reject(new EngineLost(`the engine's container was not heard of for ${connectTimeoutMs / 1000} s`));
        if (ended.aborted) stop();
        ended.addEventListener("abort", stop, { once: true });
        this.#events.once("hello", resolve);
        this.#server.once("error", reject);
        // The two containers have distinct user ids and share only the group of the volume.
        this.#server.listen(socketPath, () => chmodSync(socketPath, 0o660));
      });
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Copies source and overlay to the engine's working directory; rejects nothing: read `refused`. */
  prepare(id: string): Promise<PreparedTree> {
    return this.#ask(this.#trees, id, { type: "prepare", id });
  }

  /** One engine command at a time. A line counts as received when `onLine` has returned, or its promise is settled. */
  async run(command: EngineCommand, onLine: Listener["onLine"]): Promise<EngineExit> {
    if (this.#listener !== undefined) throw new Error(`the command ${this.#listener.id} is still running`);
    this.#listener = { id: command.id, onLine };
    try {
      return await this.#ask(this.#exits, command.id, { type: "run", ...command });
    } finally {
      this.#listener = undefined;
    }
  }

  signal(id: string, signal: "SIGINT" | "SIGTERM" | "SIGKILL"): void {
    this.#send({ type: "signal", id, signal });
  }

  /**
   * Lets the engine container end. Acknowledge an errored state only when its bytes are safe in the store; without
   * that, the container stays and this rejects with what it waits for.
   */
  async finish(end: { readonly acknowledgeErroredState: boolean; readonly exitCode: number }): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) return this.close();
    await new Promise<void>((resolve, reject) => {
      socket.once("close", resolve);
      this.#events.once("held", (reason: string) => reject(new EngineHeld(reason)));
      this.#send({ type: "finish", ...end });
    });
    this.close();
  }

  close(): void {
    clearTimeout(this.#lost);
    this.#finishing = true;
    this.#socket?.destroy();
    this.#server.close();
    rmSync(this.#options.socketPath, { force: true });
  }

  #accept(socket: Socket): void {
    // Code of the tenant runs in the engine container and could connect, too: while the launcher is there, nobody else is heard.
    if (this.#socket !== undefined) {
      socket.destroy();
      return;
    }
    clearTimeout(this.#lost);
    this.#isLost = false;
    this.#socket = socket;
    this.#lines.clear();
    const read = messageReader((text) => {
      const message = decodeFromLauncher(text);
      // A listener that throws has lost a line: its command fails here, and the line stays unacknowledged.
      this.#inOrder = this.#inOrder.then(() => this.#handle(message)).catch((error: Error) => this.#fail(error));
    });
    socket.on("data", (chunk) => {
      try {
        read(chunk);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new ChannelError(String(error)));
      }
    });
    socket.on("error", () => {});
    socket.once("close", () => this.#closed(socket));
  }

  #closed(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    if (this.#finishing) return;
    const wait = this.#options.lostAfterMs ?? 15_000;
    this.#lost = setTimeout(() => {
      this.#isLost = true;
      this.#fail(new EngineLost("the engine container is gone"));
    }, wait);
  }

  #fail(error: Error): void {
    for (const waiting of [...this.#exits.values(), ...this.#trees.values()]) waiting.reject(error);
    this.#exits.clear();
    this.#trees.clear();
    this.#outgoing.clear();
  }

  #ask<T>(waiters: Map<string, Waiting<T>>, id: string, request: ToLauncher): Promise<T> {
    if (this.#isLost) return Promise.reject(new EngineLost("the engine container is gone"));
    return new Promise((resolve, reject) => {
      waiters.set(id, { resolve, reject });
      this.#outgoing.set(id, request);
      this.#send(request);
    });
  }

  #send(message: ToLauncher): void {
    this.#socket?.write(encodeMessage(message));
  }

  async #handle(message: FromLauncher): Promise<void> {
    if (message.type === "hello") {
      this.#hello = message;
      if (message.terminating) this.#setTerminating();
      // Asked again after a reconnect: the launcher answers for a command it knows and starts one it never got.
      for (const request of this.#outgoing.values()) this.#send(request);
      this.#events.emit("hello");
      return;
    }
    if (message.type === "terminating") return this.#setTerminating();
    if (message.type === "held") {
      this.#events.emit("held", message.reason);
      return;
    }
    if (message.type === "line") await this.#line(message);
    if (message.type === "exit") settle(this.#exits, this.#outgoing, message);
    if (message.type === "prepared") settle(this.#trees, this.#outgoing, message);
    this.#send({ type: "acknowledge", seq: message.seq });
  }

  #setTerminating(): void {
    this.#terminating = true;
    this.#events.emit("terminating");
  }

  async #line(message: LineMessage): Promise<void> {
    const line = this.#lines.join(message);
    const listener = this.#listener;
    if (line !== undefined && listener?.id === message.id) await listener.onLine(line);
  }
}

function settle<T extends { readonly id: string; readonly seq: number; readonly type: string }>(
  waiters: Map<string, Waiting<Omit<T, "type" | "seq" | "id">>>,
  outgoing: Map<string, ToLauncher>,
  message: T,
): void {
  const { id, type: _type, seq: _seq, ...result } = message;
  waiters.get(id)?.resolve(result);
  waiters.delete(id);
  outgoing.delete(id);
}
