import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../operator/loop/clock.ts";
import type { ExitCode } from "../../plugin/exit-codes.ts";
import { runProgram } from "../../plugin/program.ts";
import type { Terminal } from "../../plugin/terminal.ts";
import { kubeconfigOf, type Person } from "./admission-server.ts";

export interface Spoken {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly show?: (text: string) => void;
  readonly stdin?: string;
}

/** `kubectl terrarium` as people with certificates of their own call it in a namespace. */
export class PluginPeople {
  readonly #namespace: string;
  readonly #kubeconfigs = new Map<string, string>();
  #dir: string | undefined;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  async placeOf(person: Person): Promise<readonly string[]> {
    this.#dir ??= await mkdtemp(join(tmpdir(), "terrarium-people-"));
    const file = this.#kubeconfigs.get(person.user) ?? join(this.#dir, person.user);
    if (!this.#kubeconfigs.has(person.user)) await writeFile(file, await kubeconfigOf(person));
    this.#kubeconfigs.set(person.user, file);
    return ["--kubeconfig", file, "-n", this.#namespace];
  }

  async call(person: Person, args: readonly string[], options: CallOptions = {}): Promise<Spoken> {
    const said = { out: [] as string[], err: [] as string[] };
    const terminal: Terminal = {
      print: (text) => void said.out.push(text),
      tell: (text) => void said.err.push(text),
      show: (text) => options.show?.(text),
      redraws: false,
      write: (content) => void said.out.push(Buffer.from(content).toString()),
      read: async () => options.stdin ?? "",
      colours: false,
      unread: new AbortController().signal,
      interactive: false,
      ask: async () => "",
    };
    const { signal = new AbortController().signal } = options;
    const world = { terminal, clock: systemClock, signal, version: "test" };
    const code = await runProgram([...(await this.placeOf(person)), ...args], world);
    return { code, out: said.out.join("\n"), err: said.err.join("\n") };
  }

  async end(): Promise<void> {
    if (this.#dir !== undefined) await rm(this.#dir, { recursive: true, force: true });
  }
}
