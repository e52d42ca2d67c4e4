/** The launcher's settings and the engine's environment, from the container's own environment. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { filterEnvironment } from "../../operator/engine/environment.ts";
import { POD_PATHS } from "../pod-layout.ts";

const milliseconds = (fallback: number) => z.coerce.number().int().positive().default(fallback);

const settingsSchema = z.object({
  /** The engine's program. */
  TERRARIUM_ENGINE_BIN: z.string().startsWith("/"),
  TERRARIUM_ENGINE_VERSION: z.string().optional(),
  TERRARIUM_SOCKET: z.string().startsWith("/").default(POD_PATHS.socket),
  TERRARIUM_SOURCE: z.string().startsWith("/").default(`${POD_PATHS.in}/source`),
  TERRARIUM_OVERLAY: z.string().startsWith("/").default(`${POD_PATHS.in}/overlay`),
  TERRARIUM_OUT: z.string().startsWith("/").default(POD_PATHS.out),
  TERRARIUM_WORK: z.string().startsWith("/").default(POD_PATHS.work),
  /** Folders whose files are variables: one folder per Secret, mounted, so that a missing one stops no pod. */
  TERRARIUM_CREDENTIALS_DIR: z.string().startsWith("/").default("/terrarium/credentials/env"),
  TERRARIUM_CONNECT_MS: milliseconds(60_000),
  /** With nothing to do and no agent for so long, the container ends. */
  TERRARIUM_IDLE_MS: milliseconds(120_000),
  TERRARIUM_STALL_MS: milliseconds(30_000),
});

export interface LauncherSettings {
  readonly program: string;
  readonly engineVersion?: string;
  readonly socket: string;
  readonly source: string;
  readonly overlay: string;
  readonly out: string;
  readonly work: string;
  readonly connectMs: number;
  readonly idleMs: number;
  readonly stallMs: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly droppedVariables: readonly string[];
}

export function readSettings(given: Readonly<Record<string, string | undefined>> = process.env): LauncherSettings {
  const parsed = settingsSchema.safeParse(given);
  if (!parsed.success) throw new Error(`the container's settings are wrong: ${z.prettifyError(parsed.error)}`);
  const own = parsed.data;
  const credentials = readCredentials(own.TERRARIUM_CREDENTIALS_DIR);
  const container = filterEnvironment(given);
  const fromFiles = filterEnvironment(credentials);
  const notable = container.dropped.filter((name) => /^(TF_|LD_)/i.test(name));
  return {
    program: own.TERRARIUM_ENGINE_BIN,
    ...(own.TERRARIUM_ENGINE_VERSION === undefined ? {} : { engineVersion: own.TERRARIUM_ENGINE_VERSION }),
    socket: own.TERRARIUM_SOCKET,
    source: own.TERRARIUM_SOURCE,
    overlay: own.TERRARIUM_OVERLAY,
    out: own.TERRARIUM_OUT,
    work: own.TERRARIUM_WORK,
    connectMs: own.TERRARIUM_CONNECT_MS,
    idleMs: own.TERRARIUM_IDLE_MS,
    stallMs: own.TERRARIUM_STALL_MS,
    environment: { ...container.kept, ...fromFiles.kept },
    droppedVariables: [...new Set([...notable, ...fromFiles.dropped])].sort(),
  };
}

/** Secrets are read in the order of their folders' names; a later one wins. */
function readCredentials(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const folder of list(root)) {
    for (const name of list(join(root, folder))) {
      const path = join(root, folder, name);
      if (!name.startsWith("..") && statSync(path).isFile()) found[name] = readFileSync(path, "utf8");
    }
  }
  return found;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
