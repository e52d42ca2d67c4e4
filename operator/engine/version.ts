/** Reads `version -json` of both engines. */
import { z } from "zod";
import type { EngineName } from "./names.ts";

const versionDocument = z.object({
  terraform_version: z.string(),
  platform: z.string().optional(),
  provider_selections: z.record(z.string(), z.string()).nullish(),
});

export interface EngineVersion {
  readonly version: string;
  readonly platform?: string;
  readonly providers: Readonly<Record<string, string>>;
}

export function parseVersion(text: string): EngineVersion {
  const document = versionDocument.parse(JSON.parse(text));
  return {
    version: document.terraform_version,
    ...(document.platform === undefined ? {} : { platform: document.platform }),
    providers: document.provider_selections ?? {},
  };
}

/** Ephemeral variables and values exist from Terraform 1.10 and OpenTofu 1.11 on. */
export function knowsEphemeral(engine: EngineName, version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 1 || (major === 1 && minor >= (engine === "terraform" ? 10 : 11));
}
