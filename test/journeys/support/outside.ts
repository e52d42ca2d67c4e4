/** The world outside of the cluster, played by the test: it hears what resources do, when, and can make them wait or fail. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { patience } from "./patience.ts";

export interface Heard {
  /** As in `create/a` or `destroy/b`. */
  readonly what: string;
  readonly atMs: number;
}

type Answer = (response: ServerResponse) => void;

const ok: Answer = (response) => void response.writeHead(200).end("ok\n");

/** Each journey has one; resources reach it at `address`, which holds a path. */
export class Outside {
  readonly address: string;
  readonly #server: Server;
  readonly #heard: Heard[] = [];
  readonly #held = new Map<string, ServerResponse[]>();
  readonly #refused = new Set<string>();
  readonly #answers = new Map<string, string | Buffer>();
  #listeners: (() => void)[] = [];

  static async open(host: string): Promise<Outside> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, host, resolve));
    return new Outside(server, `${host}:${(server.address() as AddressInfo).port}`);
  }

  private constructor(server: Server, hostAndPort: string) {
    this.#server = server;
    this.address = `${hostAndPort}/ledger`;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => this.#handle(request, response));
  }

  /** `http://HOST:PORT`, for whatever wants an address to talk to. */
  get url(): string {
    return `http://${this.address.replace(/\/ledger$/, "")}`;
  }

  get heard(): readonly string[] {
    return this.#heard.map(({ what }) => what);
  }

  /** How often something was heard. */
  count(what: string): number {
    return this.heard.filter((one) => one === what).length;
  }

  /** From now on whoever reports this waits for `release`. */
  hold(what: string): void {
    this.#held.set(what, this.#held.get(what) ?? []);
  }

  release(what: string): void {
    const waiting = this.#held.get(what) ?? [];
    this.#held.delete(what);
    for (const response of waiting) this.#answer(what, response);
  }

  /** From now on this is answered with an error. */
  refuse(what: string): void {
    this.#refused.add(what);
  }

  accept(what: string): void {
    this.#refused.delete(what);
  }

  /** What a path answers instead of `ok`. */
  answerWith(what: string, body: string | Buffer): void {
    this.#answers.set(what, body);
  }

  /** Resolves when this was heard for the `times`-th time. */
  async arrival(what: string, withinMs = 120_000 * patience, times = 1): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (this.count(what) < times) {
      const left = deadline - performance.now();
      if (left <= 0) {
        throw new Error(
          `${what} was not heard ${times} times within ${withinMs / 1000} s; heard: ${this.heard.join(", ")}`,
        );
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#listeners.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #handle({ url = "/" }: IncomingMessage, response: ServerResponse): void {
    const what = decodeURIComponent(url.replace(/^\/(ledger\/)?/, "").replace(/\?.*$/, ""));
    this.#heard.push({ what, atMs: performance.now() });
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
    const held = this.#held.get(what);
    if (held !== undefined) held.push(response);
    else this.#answer(what, response);
  }

  #answer(what: string, response: ServerResponse): void {
    const body = this.#answers.get(what);
    if (this.#refused.has(what)) response.writeHead(500).end("no\n");
    else if (body !== undefined) response.writeHead(200, { "content-type": "application/json" }).end(body);
    else ok(response);
  }
}
