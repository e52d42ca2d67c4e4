import { z } from "zod";
import { LOG_LEVELS } from "../telemetry/logger.ts";
import { addressRules } from "./address-rules.ts";

const port = z.coerce.number().int().min(0).max(65_535);
const ranges = z
  .string()
  .default("")
  .transform((text) => text.split(/[\s,]+/).filter((range) => range !== ""));

/** The environment variables of the resolver's Deployment. */
const variables = z.object({
  TERRARIUM_RESOLVER_HOST: z.string().default("0.0.0.0"),
  TERRARIUM_RESOLVER_PORT: port.default(8080),
  TERRARIUM_HEALTH_PORT: port.default(8081),
  TERRARIUM_METRICS_PORT: port.default(9090),
  /** Address ranges (CIDR, separated by commas) that may be reached whatever else is denied: for a git server in the cluster. */
  TERRARIUM_RESOLVER_ALLOW_CIDRS: ranges,
  /** Address ranges that may not be reached, beside loopback, link-local and multicast. */
  TERRARIUM_RESOLVER_DENY_CIDRS: ranges,
  /** File with the token that the operator sends; read at each question, so that it can be rotated. */
  TERRARIUM_RESOLVER_TOKEN_FILE: z.string().min(1).optional(),
  TERRARIUM_LOG_LEVEL: z.enum(LOG_LEVELS).default("info"),
});

export interface ResolverConfig {
  readonly host: string;
  readonly port: number;
  readonly healthPort: number;
  readonly metricsPort: number;
  readonly allowRanges: readonly string[];
  readonly denyRanges: readonly string[];
  readonly tokenFile: string | undefined;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

/** Throws an Error that names the variable when a setting cannot be used. */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): ResolverConfig {
  const parsed = variables.safeParse(environment);
  if (!parsed.success) throw new Error(`the resolver's settings cannot be used:\n${z.prettifyError(parsed.error)}`);
  const settings = parsed.data;
  const config = {
    host: settings.TERRARIUM_RESOLVER_HOST,
    port: settings.TERRARIUM_RESOLVER_PORT,
    healthPort: settings.TERRARIUM_HEALTH_PORT,
    metricsPort: settings.TERRARIUM_METRICS_PORT,
    allowRanges: settings.TERRARIUM_RESOLVER_ALLOW_CIDRS,
    denyRanges: settings.TERRARIUM_RESOLVER_DENY_CIDRS,
    tokenFile: settings.TERRARIUM_RESOLVER_TOKEN_FILE,
    logLevel: settings.TERRARIUM_LOG_LEVEL,
  };
  try {
    addressRules(config.allowRanges, config.denyRanges);
  } catch (error) {
    const names = "TERRARIUM_RESOLVER_ALLOW_CIDRS or TERRARIUM_RESOLVER_DENY_CIDRS";
    throw new Error(`${names}: ${(error as Error).message}`, { cause: error });
  }
  return config;
}
