/** Settings of the agent: the only file that reads the environment. */
import { z } from "zod";
import type { EngineName } from "../../operator/engine/names.ts";
import { AGENT_ENV } from "../pod-layout.ts";

export interface AgentConfig {
  readonly gatewayUrl: string;
  /** PEM; absent only where the gateway is plain http, in tests. */
  readonly gatewayCa: string | undefined;
  readonly namespace: string;
  readonly run: string;
  readonly phase: "Plan" | "Apply";
  readonly engine: EngineName;
  /** The settings file of the engine that is in the image: it names the provider mirror. */
  readonly cliConfigFile: string | undefined;
}

/** The container was not made by the operator, or by another version of it. */
export class ConfigInvalid extends Error {
  override readonly name = "ConfigInvalid";
}

const settings = z.object({
  [AGENT_ENV.gatewayUrl]: z.url({ protocol: /^https?$/ }),
  [AGENT_ENV.gatewayCa]: z.string().optional(),
  [AGENT_ENV.namespace]: z.string().min(1),
  [AGENT_ENV.run]: z.string().min(1),
  [AGENT_ENV.phase]: z.enum(["Plan", "Apply"]),
  TERRARIUM_ENGINE: z.enum(["opentofu", "terraform"]),
  TF_CLI_CONFIG_FILE: z.string().optional(),
});

export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): AgentConfig {
  const parsed = settings.safeParse(env);
  if (!parsed.success) {
    const names = [...new Set(parsed.error.issues.map((issue) => issue.path.join(".")))];
    throw new ConfigInvalid(`the agent's settings are missing or wrong: ${names.join(", ")}`);
  }
  const given = parsed.data;
  return {
    gatewayUrl: given[AGENT_ENV.gatewayUrl],
    gatewayCa: given[AGENT_ENV.gatewayCa],
    namespace: given[AGENT_ENV.namespace],
    run: given[AGENT_ENV.run],
    phase: given[AGENT_ENV.phase],
    engine: given.TERRARIUM_ENGINE,
    cliConfigFile: given.TF_CLI_CONFIG_FILE,
  };
}
