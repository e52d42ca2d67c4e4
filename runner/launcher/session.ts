/** Does what the agent asks, one command at a time, and answers for every command it has ever been asked for. */
import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { isJournalLine } from "../../operator/engine/events.ts";
import { erroredStateFile } from "../../operator/engine/names.ts";
import type { FromLauncher, HelloMessage, RunMessage, ToLauncher } from "../engine-channel.ts";
import { Command, type CommandResult } from "./command.ts";
import type { LauncherSettings } from "./config.ts";
import { type NewReport, Outbox } from "./outbox.ts";
import { killStrangers } from "./processes.ts";
import { isInside, prepareTree, removeLocalStates, shareWithGroup, TreeRefused } from "./workdir.ts";

const limits = { ordinaryBytes: 2 * 1024 * 1024, essentialBytes: 32 * 1024 * 1024 };

export interface SessionPorts {
  readonly send: (message: FromLauncher) => void;
  readonly connected: () => boolean;
  readonly end: (exitCode: number) => void;
  readonly log: (text: string) => void;
}

export class Session {
  readonly #settings: LauncherSettings;
  readonly #ports: SessionPorts;
  readonly #outbox = new Outbox(limits);
  /** The last report of each command that is done. */
  readonly #finished = new Map<string, NewReport>();
  /** Commands that the agent asked for on this connection. */
  readonly #asked = new Set<string>();
  readonly #folders: Set<string>;
  /** Folders in which an engine has run since the working copy was laid out. */
  readonly #used = new Set<string>();
  #prepared = false;
  #working: string | undefined;
  #command: Command | undefined;
  #terminating = false;
  #idleSince = Date.now();

  constructor(settings: LauncherSettings, ports: SessionPorts) {
    this.#settings = settings;
    this.#ports = ports;
    this.#folders = new Set([settings.work]);
  }

  /** Since when nothing runs, in milliseconds of the clock; `undefined` while something does. */
  get idleSince(): number | undefined {
    return this.#working === undefined ? this.#idleSince : undefined;
  }

  get terminating(): boolean {
    return this.#terminating;
  }

  /** The engine could not hand over its state: the file is the only copy. */
  get erroredState(): string | undefined {
    return [...this.#folders].map((folder) => join(folder, erroredStateFile)).find((path) => existsSync(path));
  }

  hello(): HelloMessage {
    const { engineVersion, droppedVariables } = this.#settings;
    return {
      type: "hello",
      ...(engineVersion === undefined ? {} : { engineVersion }),
      ...(this.#working === undefined ? {} : { running: this.#working }),
      finished: [...this.#finished.keys()],
      terminating: this.#terminating,
      droppedVariables: [...droppedVariables],
    };
  }

  connectionChanged(): void {
    this.#asked.clear();
    this.#idleSince = Date.now();
    this.#balance();
  }

  handle(message: ToLauncher): void {
    switch (message.type) {
      case "prepare":
        this.#ask(message.id, () => this.#prepare(message.id));
        break;
      case "run":
        this.#ask(message.id, () => this.#run(message));
        break;
      case "signal":
        this.#signal(message.id, message.signal);
        break;
      case "acknowledge":
        this.#outbox.acknowledge(message.seq);
        this.#balance();
        break;
      case "finish":
        this.#finish(message.acknowledgeErroredState, message.exitCode);
        break;
    }
  }

  /** The container is being ended: the engine is told once, and may finish what it holds. */
  terminate(): void {
    if (this.#terminating) return;
    this.#terminating = true;
    this.#idleSince = Date.now();
    this.#ports.send({ type: "terminating" });
    this.#command?.terminate();
    this.#balance();
  }

  #ask(id: string, start: () => Promise<NewReport>): void {
    const first = !this.#asked.has(id);
    this.#asked.add(id);
    if (first) for (const report of this.#outbox.of(id)) this.#ports.send(report);
    const done = this.#finished.get(id);
    if (done !== undefined) {
      if (!this.#outbox.of(id).some((report) => report.type === done.type)) this.#report(done);
      return;
    }
    if (this.#working === id) return;
    if (this.#working !== undefined) {
      this.#report(notStarted(id, `the command ${this.#working} is running`));
      return;
    }
    this.#working = id;
    void start().then((report) => this.#done(id, report));
  }

  #done(id: string, report: NewReport): void {
    this.#working = undefined;
    this.#command = undefined;
    this.#idleSince = Date.now();
    this.#finished.set(id, report);
    this.#report(report);
  }

  async #prepare(id: string): Promise<NewReport> {
    try {
      await killStrangers();
      const { files, bytes, leftOut } = await prepareTree(this.#settings);
      this.#prepared = true;
      if (leftOut > 0) this.#ports.log(`left out of the source: ${leftOut} errored states or .terraform folders`);
      return { type: "prepared", id, files, bytes };
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
      const refused = error instanceof TreeRefused ? error.message : `the source could not be copied (${code})`;
      return { type: "prepared", id, files: 0, bytes: 0, refused };
    }
  }

  async #run(request: RunMessage): Promise<NewReport> {
    const { id } = request;
    const hindrance = await this.#hindrance(request);
    if (hindrance !== undefined) return notStarted(id, hindrance);
    const survivors = await killStrangers().then(
      () => undefined,
      (error: Error) => error.message,
    );
    if (survivors !== undefined) return notStarted(id, survivors);
    await this.#clean(request.cwd);
    // The signal may have come while strangers were being killed; there was no child yet to tell.
    if (this.#terminating) return notStarted(id, "the container is being ended");
    this.#folders.add(request.cwd);
    this.#command = new Command(request, {
      program: this.#settings.program,
      environment: this.#settings.environment,
      out: this.#settings.out,
      onLine: (stream, text, more) => this.#line(id, stream, text, more),
      afterExit: killStrangers,
      log: this.#ports.log,
    });
    const result: CommandResult = await this.#command.result;
    await shareWithGroup(this.#settings.work).catch((error) => this.#ports.log(`cannot share results: ${error}`));
    return { type: "exit", id, ...result };
  }

  /** What is there before any engine ran came with the source; a working copy that was not laid out here may hold more. */
  async #clean(cwd: string): Promise<void> {
    if (!this.#prepared || this.#used.has(cwd)) return;
    this.#used.add(cwd);
    const removed = await removeLocalStates(cwd).catch((error: Error) => {
      this.#ports.log(`cannot remove local states: ${error.message}`);
      return 0;
    });
    if (removed > 0) this.#ports.log(`left out of the source: ${removed} local states beside the module`);
  }

  async #hindrance({ cwd }: RunMessage): Promise<string | undefined> {
    if (this.#terminating) return "the container is being ended";
    const root = await realpath(this.#settings.work).catch(() => this.#settings.work);
    const folder = await realpath(cwd).catch(() => undefined);
    if (folder === undefined) return "the working directory does not exist: check the component's path";
    return isInside(root, folder) ? undefined : "the working directory leads out of the source";
  }

  #line(id: string, stream: "stdout" | "stderr", text: string, more: boolean): void {
    const line = { type: "line" as const, id, stream, text, ...(more ? { more } : {}) };
    const heard = this.#ports.connected() && !this.#terminating;
    const report = heard ? this.#outbox.add(line) : this.#outbox.addOrDrop(line, isJournalLine(text));
    if (report !== undefined && this.#asked.has(id)) this.#ports.send(report);
    this.#balance();
  }

  #balance(): void {
    const heard = this.#ports.connected() && !this.#terminating;
    this.#command?.setPaused(this.#outbox.mustPause(heard));
  }

  #report(report: NewReport): void {
    const numbered = this.#outbox.add(report);
    if (this.#asked.has(report.id)) this.#ports.send(numbered);
  }

  #signal(id: string, signal: "SIGINT" | "SIGTERM" | "SIGKILL"): void {
    if (this.#command?.id !== id) return;
    if (signal === "SIGKILL") this.#command.kill();
    else this.#command.terminate(signal);
  }

  #finish(acknowledged: boolean, exitCode: number): void {
    const state = this.erroredState;
    if (this.#working !== undefined) {
      this.#ports.send({ type: "held", reason: `the command ${this.#working} is running` });
    } else if (state !== undefined && !acknowledged) {
      this.#ports.send({ type: "held", reason: `${state} is the only copy of a state and was not acknowledged` });
    } else {
      this.#ports.end(exitCode);
    }
  }
}

function notStarted(id: string, startError: string): NewReport {
  return { type: "exit", id, code: null, signal: null, timedOut: false, durationMs: 0, startError };
}
