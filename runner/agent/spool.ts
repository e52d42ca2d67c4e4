/** What the agent must still know after its container was restarted: small facts, each a file that is whole or absent. */
import { appendFileSync, existsSync, readFileSync, truncateSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { planReport, resultReport, verdict, workOrder } from "../../operator/gateway/protocol.ts";
import { isDiskFull } from "./disk.ts";

const facts = {
  order: workOrder,
  /** What must not be printed; the files that it came from may be gone. */
  secrets: z.array(z.string()),
  /** The commit that was fetched: a branch that moves meanwhile changes nothing. */
  fetched: z.object({ revision: z.string().optional() }),
  /** Keyed digest of source and inputs, written before the engine gets them. */
  given: z.string(),
  planned: z.object({ report: planReport, verdict }),
  /** Written before the engine is told to apply: from then on nothing is ever started again. */
  applying: z.object({
    digest: z.string(),
    /** The engine's working directory. */
    cwd: z.string(),
    revision: z.string().optional(),
    sourceCredentials: resultReport.shape.sourceCredentials,
  }),
  /** sha256 of the errored state that the store has. */
  saved: z.string(),
  /** Written when no state is only in this pod any more. */
  result: resultReport,
} as const;

type Facts = { readonly [K in keyof typeof facts]: z.output<(typeof facts)[K]> };

/** What the disk does not take is in the memory of this process, and nowhere else. */
const FULL =
  "the disk of the agent is full: what it would know after a restart is in memory only. Free space on the node";

export class Spool {
  readonly folder: string;
  readonly #say: (message: string) => void;
  readonly #unwritten = new Map<keyof Facts, Facts[keyof Facts]>();
  readonly #cutOff = new Set<"journal" | "diagnostics">();

  constructor(folder: string, say: (message: string) => void = () => {}) {
    this.folder = folder;
    this.#say = say;
  }

  async read<K extends keyof Facts>(name: K): Promise<Facts[K] | undefined> {
    if (this.#unwritten.has(name)) return this.#unwritten.get(name) as Facts[K];
    const text = await readFile(this.#path(name), "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    return text === undefined ? undefined : (facts[name].parse(JSON.parse(text)) as Facts[K]);
  }

  /** Throws where the disk is full. */
  async write<K extends keyof Facts>(name: K, fact: Facts[K]): Promise<void> {
    await writeDurably(this.#path(name), Buffer.from(JSON.stringify(fact)));
    this.#unwritten.delete(name);
  }

  /** For a fact without which a restart costs work and nothing else: a full disk must not keep an attempt from ending. */
  async writeIfRoom<K extends keyof Facts>(name: K, fact: Facts[K]): Promise<void> {
    try {
      await this.write(name, fact);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#unwritten.set(name, fact);
      this.#say(FULL);
    }
  }

  /**
   * Survives the end of this process, not of the node: then the engine is gone as well. Where the disk is full, nothing
   * more is written down: entries count by their position, so there must be no gap in what a restart finds.
   */
  append(name: "journal" | "diagnostics", entry: unknown): void {
    if (this.#cutOff.has(name)) return;
    try {
      appendFileSync(join(this.folder, `${name}.ndjson`), `${JSON.stringify(entry)}\n`, { mode: 0o600 });
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#cutOff.add(name);
      this.#say(FULL);
    }
  }

  async entries(name: "journal" | "diagnostics"): Promise<unknown[]> {
    const file = join(this.folder, `${name}.ndjson`);
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    // A last line without its end was being written when the process died, or the disk was full; the launcher sends it again.
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    // The next one must not be added to it, so it goes, before anything else can be written.
    if (whole.length < text.length) truncateSync(file, Buffer.byteLength(whole));
    return whole
      .split("\n")
      .filter((line) => line !== "")
      .map((line): unknown => JSON.parse(line));
  }

  #path(name: keyof Facts): string {
    return join(this.folder, `${name}.json`);
  }
}

/** After this has returned, the file is there whatever happens to the machine. Leaves nothing behind where it fails. */
export async function writeDurably(path: string, ...parts: readonly Buffer[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.new`;
  try {
    await writeSynced(temporary, parts);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function writeSynced(path: string, parts: readonly Buffer[]): Promise<void> {
  const file = await open(path, "w", 0o600);
  try {
    for (const part of parts) await file.writeFile(part);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Names in a folder of the spool, in order; files that were not finished are removed. */
export async function spooledNames(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((one) => one.endsWith(".new"))) await rm(join(folder, name), { force: true });
  return names.filter((name) => !name.endsWith(".new")).sort();
}
