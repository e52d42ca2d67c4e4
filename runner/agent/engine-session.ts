/** Runs the commands of one attempt through the launcher, prints what they print and keeps what matters of it. */
import { z } from "zod";
import { type BackendAddress, backendEnvironment } from "../../operator/engine/backend.ts";
import { type Diagnostic, describeDiagnostic, readDiagnostics } from "../../operator/engine/diagnostics.ts";
import { baseEnvironment } from "../../operator/engine/environment.ts";
import { type EngineEvent, parseEvent } from "../../operator/engine/events.ts";
import type { EngineClient, EngineExit } from "../engine-client.ts";
import { forgottenIn, isForgotten } from "./forgotten.ts";
import type { Journal } from "./journal.ts";
import type { Printer } from "./printer.ts";
import type { Progress } from "./progress.ts";
import type { Spool } from "./spool.ts";

export interface EngineCommandOrder {
  /** The same id never runs twice, whatever happens to the agent. */
  readonly id: "init" | "plan" | "show" | "apply";
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly graceMs: number;
  readonly stdoutFile?: string;
}

export interface CommandEnd {
  readonly exit: EngineExit;
  readonly diagnostics: readonly Diagnostic[];
  readonly lastLines: readonly string[];
  /** Addresses that the plan takes out of the state and leaves in the world. */
  readonly forgotten: readonly string[];
}

export interface EngineSessionParts {
  readonly client: EngineClient;
  readonly cwd: string;
  readonly cliConfigFile: string | undefined;
  readonly backend: BackendAddress;
  readonly printer: Printer;
  readonly journal: Journal;
  readonly progress: Progress;
  readonly spool: Spool;
}

const keptLines = 20;
/** Of a command that complains without end, the first complaints tell enough. */
const keptDiagnostics = 2_000;
/** They come first, and must leave room for what goes wrong. */
const keptForgotten = 1_000;
const keptLine = z.object({ id: z.string(), line: z.string() });

export class EngineSession {
  readonly #parts: EngineSessionParts;
  #running: string | undefined;
  #terminating = false;

  constructor(parts: EngineSessionParts) {
    this.#parts = parts;
    parts.client.onTerminating(() => {
      this.#terminating = true;
    });
  }

  /** The pod was told to end. */
  get terminating(): boolean {
    return this.#terminating;
  }

  /** Asks the running command to end, once: the launcher sees to that. */
  terminate(): void {
    this.#terminating = true;
    if (this.#running !== undefined) this.#parts.client.signal(this.#running, "SIGTERM");
  }

  async prepare(): Promise<{ readonly refused?: string | undefined }> {
    return this.#parts.client.prepare("prepare");
  }

  async run(order: EngineCommandOrder): Promise<CommandEnd> {
    const { client, printer, cwd, backend, cliConfigFile } = this.#parts;
    const home = { home: "/tmp", temporary: "/tmp", ...(cliConfigFile === undefined ? {} : { cliConfigFile }) };
    const env = { ...order.env, ...baseEnvironment(home), ...backendEnvironment(backend) };
    const streams = { stdout: printer.stream(), stderr: printer.stream() };
    const kept = await this.#keptBefore(order.id);
    const lastLines: string[] = [];
    this.#running = order.id;
    const ended = client.run({ ...order, args: [...order.args], env, cwd }, (line) => {
      if (line.dropped > 0) streams[line.stream].line(`(${line.dropped} lines were lost while the agent was away)`);
      const event = parseEvent(line.text);
      streams[line.stream].line(readable(event, line.text));
      this.#keep(order.id, event, line.text, kept, lastLines);
    });
    if (this.#terminating) client.signal(order.id, "SIGTERM");
    try {
      return { exit: await ended, diagnostics: readDiagnostics(kept), lastLines, forgotten: forgottenIn(kept) };
    } finally {
      this.#running = undefined;
      streams.stdout.end();
      streams.stderr.end();
    }
  }

  /** On disk before the launcher is told that the line was received. */
  #keep(id: string, event: EngineEvent, text: string, kept: string[], lastLines: string[]): void {
    const { journal, progress, spool } = this.#parts;
    journal.record(event);
    progress.event(event);
    const isPlain = event.type === "Text" && !text.startsWith("{");
    const most = isForgotten(event) ? keptForgotten : keptDiagnostics;
    if ((event.type !== "Diagnostic" && !isForgotten(event) && !isPlain) || kept.length >= most) return;
    kept.push(text);
    spool.append("diagnostics", { id, line: text });
    if (isPlain) lastLines.push(text);
    if (lastLines.length > keptLines) lastLines.shift();
  }

  async #keptBefore(id: string): Promise<string[]> {
    const lines = z.array(keptLine).parse(await this.#parts.spool.entries("diagnostics"));
    return lines.filter((entry) => entry.id === id).map(({ line }) => line);
  }
}

/** Events carry a sentence for people; of an error the sentence is only its heading. */
function readable(event: EngineEvent, line: string): string {
  if (event.type === "Text") return event.text;
  if (event.type === "Diagnostic") {
    const { severity } = event.diagnostic;
    return `${severity === "error" ? "Error" : "Warning"}: ${describeDiagnostic(event.diagnostic)}`;
  }
  const text = z.object({ "@message": z.string() }).safeParse(JSON.parse(line));
  return text.data?.["@message"] ?? "";
}
