/** Reads `version -json` of both engines. */
import { z } from "zod";

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
