import { z } from "zod";
import { LOG_LEVELS } from "./telemetry/logger.ts";

const engines = z
  .array(
    z.object({
      name: z.enum(["opentofu", "terraform"]),
      version: z.string().regex(/^[0-9]+\.[0-9]+(\.[0-9]+)?$/),
      image: z.string().min(1),
      default: z.boolean().optional(),
    }),
  )
  .min(1, "the catalogue needs at least one engine");

const json = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue({ code: "custom", message: "is not JSON" });
    return z.NEVER;
  }
});

const settings = z.object({
  /** Namespace of the operator itself: its Lease, its keys, and the states. */
  TERRARIUM_NAMESPACE: z.string().min(1),
  TERRARIUM_POD_NAME: z.string().min(1),
  /** Address at which runner pods reach the gateway. */
  TERRARIUM_GATEWAY_URL: z.url(),
  /** Address of the resolver; absent or empty: git refs are looked up by the runners only. */
  TERRARIUM_RESOLVER_URL: z.union([z.literal(""), z.url()]).optional(),
  /** True: states are served to people, and the API server sends them here. */
  TERRARIUM_STATE_API: z.enum(["true", "false"]).default("false"),
  TERRARIUM_ENGINES: json.pipe(engines),
  TERRARIUM_LOG_LEVEL: z.enum(LOG_LEVELS).default("info"),
  /** Runs that have a pod at the same time. */
  TERRARIUM_MAX_RUNS: z.coerce.number().int().min(1).max(10_000).default(20),
  /** Environments that may be deleted within a minute before each waits for a confirmation; 0: any number. */
  TERRARIUM_USUAL_DELETIONS: z.coerce.number().int().min(0).max(100_000).default(10),
  /** Checks for drift that have a pod at the same time, beside those Runs. Absent or 0: a quarter of them, at least one. */
  TERRARIUM_MAX_CHECKS: z.coerce.number().int().min(0).max(10_000).default(0),
  /** MiB of the largest state that is taken. Bodies that are on their way at once have twice the room. */
  TERRARIUM_MAX_STATE_MIB: z.coerce.number().int().min(1).max(256).default(64),
  TERRARIUM_VERSION: z.string().default("unknown"),
});

/** Ports of the process, which the chart's Services and probes name. */
export const PORTS = { gateway: 8443, states: 8444, health: 8081, metrics: 9090 } as const;

/** Bytes of the largest state, and of all bodies that are on their way at once. */
export const roomOf = ({ TERRARIUM_MAX_STATE_MIB: mib }: Config) => ({
  stateBytes: mib * 1024 * 1024,
  inFlightBytes: 2 * mib * 1024 * 1024,
});

/** A share of the Runs, unless it is told: looking must not cost more than doing. */
export const maxChecksOf = ({ TERRARIUM_MAX_RUNS: runs, TERRARIUM_MAX_CHECKS: checks }: Config): number =>
  checks === 0 ? Math.max(1, Math.floor(runs / 4)) : checks;

export type Config = z.output<typeof settings>;

/** The settings did not make sense; every line of the message names one and says what is wrong with it. */
export class ConfigError extends Error {
  constructor(issues: readonly string[]) {
    super(`the operator's settings are not usable:\n${issues.map((issue) => `  ${issue}`).join("\n")}`);
    this.name = "ConfigError";
  }
}

/** Reads the settings from environment variables, which the Helm chart writes. Throws ConfigError. */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const parsed = settings.safeParse(environment);
  if (parsed.success) return parsed.data;
  throw new ConfigError(parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`));
}
