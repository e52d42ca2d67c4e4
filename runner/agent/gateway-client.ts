/** The agent's words to the gateway, one try each. Who waits for the gateway, and for how long, is decided elsewhere. */
import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import http from "node:http";
import https from "node:https";
import {
  AGENT_WAITS_MS,
  type ClaimRequest,
  gatewayError,
  type JournalBatch,
  type LockInfo,
  type PlanRequest,
  type ProgressReport,
  type ResultReport,
  type Verdict,
  verdict,
  type WorkOrder,
  workOrder,
} from "../../operator/gateway/protocol.ts";

/** Nobody answered, or not now: the same request may be sent again. */
export class GatewayAway extends Error {
  override readonly name = "GatewayAway";
}

/** The gateway answered, and the answer is no: asking again changes nothing. */
export class GatewayRefused extends Error {
  override readonly name = "GatewayRefused";
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface GatewayOptions {
  readonly url: string;
  readonly ca: string | undefined;
  readonly tokenFile: string;
  readonly claim: ClaimRequest;
  /** For one request without its answer's body; large bodies get more. */
  readonly timeoutMs?: number;
}

interface Call {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: Buffer;
  readonly type?: string;
  readonly signal?: AbortSignal | undefined;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

export type LockAnswer = { readonly held: true } | { readonly held: false; readonly holder: Buffer };

const maxAnswerBytes = 512 * 1024 * 1024;

export class GatewayClient {
  readonly #options: GatewayOptions;
  readonly #agent: http.Agent | https.Agent;
  #session: string | undefined;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const secure = options.url.startsWith("https:");
    this.#agent = secure ? new https.Agent({ keepAlive: true, ca: options.ca }) : new http.Agent({ keepAlive: true });
  }

  /** Repeating it from the same pod is harmless and gives the same work order with a new session. */
  async claim(signal?: AbortSignal): Promise<WorkOrder> {
    const token = (await readFile(this.#options.tokenFile, "utf8")).trim();
    const call: Call = { ...json("POST", "/v1/claim", this.#options.claim), signal };
    const order = workOrder.parse(parse(accepted(await this.#send(call, token))));
    this.#session = order.session;
    return order;
  }

  /** A restarted agent goes on with the session that it had. */
  resume(session: string): void {
    this.#session = session;
  }

  async getState(signal?: AbortSignal): Promise<Buffer | undefined> {
    const answer = await this.#call({ method: "GET", path: "/v1/state", signal });
    return answer.status === 204 || answer.body.length === 0 ? undefined : answer.body;
  }

  async postState(lockId: string, state: Buffer): Promise<void> {
    await this.#call({ method: "POST", path: `/v1/state?ID=${encodeURIComponent(lockId)}`, body: state });
  }

  async lock(info: LockInfo, signal?: AbortSignal): Promise<LockAnswer> {
    const answer = await this.#authorised({ ...json("PUT", "/v1/state/lock", info), signal });
    if (answer.status === 423) return { held: false, holder: answer.body };
    accepted(answer);
    return { held: true };
  }

  async unlock(lockId: string): Promise<void> {
    await this.#call({ method: "DELETE", path: `/v1/state/lock?ID=${encodeURIComponent(lockId)}` });
  }

  async getArchive(signal?: AbortSignal): Promise<Buffer> {
    return (await this.#call({ method: "GET", path: "/v1/archive", signal })).body;
  }

  async putArchive(archive: Buffer): Promise<void> {
    await this.#call({ method: "PUT", path: "/v1/archive", body: archive, type: "application/gzip" });
  }

  async plan(request: PlanRequest): Promise<Verdict> {
    return verdict.parse(parse(await this.#call(json("POST", "/v1/plan", request))));
  }

  async putBundle(bundle: Buffer): Promise<void> {
    await this.#call({ method: "PUT", path: "/v1/plan/bundle", body: bundle, type: "application/gzip" });
  }

  async getBundle(signal?: AbortSignal): Promise<Buffer> {
    return (await this.#call({ method: "GET", path: "/v1/plan/bundle", signal })).body;
  }

  async planText(text: string): Promise<void> {
    await this.#call({ method: "PUT", path: "/v1/plan/text", body: Buffer.from(text), type: "text/plain" });
  }

  async journal(batch: JournalBatch): Promise<void> {
    await this.#call(json("POST", "/v1/journal", batch));
  }

  /** False: nothing is written, since something was a moment ago. */
  async progress(report: ProgressReport): Promise<boolean> {
    const { status } = await this.#call(json("POST", "/v1/progress", report));
    return status !== 202;
  }

  async recovery(state: Buffer): Promise<void> {
    await this.#call({ method: "PUT", path: "/v1/recovery", body: state });
  }

  async result(report: ResultReport): Promise<void> {
    await this.#call(json("POST", "/v1/result", report));
  }

  close(): void {
    this.#agent.destroy();
  }

  async #call(call: Call): Promise<Answer> {
    return accepted(await this.#authorised(call));
  }

  /** The gateway may have got new keys for its sessions: then the claim is made again, once. */
  async #authorised(call: Call): Promise<Answer> {
    if (this.#session === undefined) await this.claim(call.signal);
    const answer = await this.#send(call, this.#session ?? "");
    if (answer.status !== 401) return answer;
    await this.claim(call.signal);
    return this.#send(call, this.#session ?? "");
  }

  async #send(call: Call, bearer: string): Promise<Answer> {
    const { url, timeoutMs = AGENT_WAITS_MS } = this.#options;
    // A slow network still moves a megabyte in a second.
    const limit = AbortSignal.timeout(timeoutMs + Math.ceil((call.body?.length ?? 0) / 1000));
    const signal = call.signal === undefined ? limit : AbortSignal.any([limit, call.signal]);
    const speak = url.startsWith("https:") ? https.request : http.request;
    const headers = {
      authorization: `Bearer ${bearer}`,
      ...(call.body === undefined
        ? {}
        : { "content-type": call.type ?? "application/json", "content-length": call.body.length }),
    };
    try {
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        const request = speak(new URL(call.path, url), { method: call.method, headers, agent: this.#agent, signal });
        request.once("response", resolve).once("error", reject);
        request.end(call.body);
      });
      return { status: answer.statusCode ?? 0, body: await bodyOf(answer) };
    } catch (error) {
      call.signal?.throwIfAborted();
      throw new GatewayAway(
        `${call.method} ${call.path.split("?")[0]}: ${error instanceof Error ? error.message : error}`,
      );
    }
  }
}

function json(method: Call["method"], path: string, body: unknown): Call {
  return { method, path, body: Buffer.from(JSON.stringify(body)) };
}

function parse(answer: Answer): unknown {
  return JSON.parse(answer.body.toString("utf8"));
}

function accepted(answer: Answer): Answer {
  const { status, body } = answer;
  if (status >= 200 && status < 300) return answer;
  if (status >= 500 || status === 429 || status === 408 || status === 0)
    throw new GatewayAway(`the gateway answered ${status}`);
  throw refusal(status, body);
}

function refusal(status: number, body: Buffer): GatewayRefused {
  try {
    const { error } = gatewayError.parse(JSON.parse(body.toString("utf8")));
    return new GatewayRefused(status, error.code, error.message);
  } catch {
    return new GatewayRefused(status, "Unknown", `the gateway answered ${status}`);
  }
}

async function bodyOf(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxAnswerBytes) throw new Error(`the answer is larger than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
