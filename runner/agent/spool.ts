/** What the agent must still know after its container was restarted: small facts, each a file that is whole or absent. */
import { appendFileSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { planReport, resultReport, verdict, workOrder } from "../../operator/gateway/protocol.ts";

const facts = {
  order: workOrder,
  /** What must not be printed; the files that it came from may be gone. */
  secrets: z.array(z.string()),
  /** The commit that was fetched: a branch that moves meanwhile changes nothing. */
  fetched: z.object({ revision: z.string().optional() }),
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

export class Spool {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async read<K extends keyof Facts>(name: K): Promise<Facts[K] | undefined> {
    const text = await readFile(this.#path(name), "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    return text === undefined ? undefined : (facts[name].parse(JSON.parse(text)) as Facts[K]);
  }

  async write<K extends keyof Facts>(name: K, fact: Facts[K]): Promise<void> {
    await writeDurably(this.#path(name), Buffer.from(JSON.stringify(fact)));
  }

  /** Survives the end of this process, not of the node: then the engine is gone as well. */
  append(name: "journal" | "diagnostics", entry: unknown): void {
    appendFileSync(join(this.folder, `${name}.ndjson`), `${JSON.stringify(entry)}\n`, { mode: 0o600 });
  }

  async entries(name: "journal" | "diagnostics"): Promise<unknown[]> {
    const text = await readFile(join(this.folder, `${name}.ndjson`), "utf8").catch(() => "");
    // A last line without its end was being written when the process died; the launcher sends it again.
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    return whole
      .split("\n")
      .filter((line) => line !== "")
      .map((line): unknown => JSON.parse(line));
  }

  #path(name: keyof Facts): string {
    return join(this.folder, `${name}.json`);
  }
}

/** After this has returned, the file is there whatever happens to the machine. */
export async function writeDurably(path: string, ...parts: readonly Buffer[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", 0o600);
  try {
    for (const part of parts) await file.writeFile(part);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Names in a folder of the spool, in order; files that were not finished are removed. */
export async function spooledNames(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((one) => one.endsWith(".new"))) await rm(join(folder, name), { force: true });
  return names.filter((name) => !name.endsWith(".new")).sort();
}
