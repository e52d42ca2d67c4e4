import type { Environment } from "../api/environment.ts";
import type { Run } from "../api/run.ts";

/** For the outcome and for the verdict on a plan alike. */
export const POINTLESS = {
  reason: "Destroying",
  message: "the Environment is being deleted, so nothing is applied",
} as const;

/** What an Environment that is gone or going would create only had to be destroyed again. `environment` has the Run's name for it, whatever its UID. */
export function isPointless({ spec }: Run, environment: Environment | undefined): boolean {
  const wanted =
    environment?.metadata.uid === spec.environment.uid && environment.metadata.deletionTimestamp === undefined;
  return spec.operation === "Apply" && !wanted;
}
