import type { Run } from "../api/run.ts";
import type { UsedLogin } from "../storage/record.ts";
import type { PlanRequest } from "./protocol.ts";

/** The login that a pod says it has fetched the source with. Only with the url that it was used for: no other server may ever see it. */
export function usedLogin(
  run: Run | undefined,
  { sourceCredentials }: Pick<PlanRequest, "sourceCredentials">,
  at: Date,
): UsedLogin | undefined {
  const url = run?.spec.inputs.source.git?.url;
  if (sourceCredentials === undefined || url === undefined) return undefined;
  return { ...sourceCredentials, url, at: at.toISOString() };
}
