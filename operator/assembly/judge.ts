import type { Environment } from "../api/environment.ts";
import type { Reader } from "../cluster/ports.ts";
import { ENVIRONMENTS } from "../cluster/resources.ts";
import type { Judge } from "../gateway/verdict.ts";

/**
 * Nobody has to be asked for a plan, but it must still be wanted: what an Environment that is gone or going would create
 * only had to be destroyed again. Read from the API server itself, since a cache may not know of the deletion yet.
 */
export function judgeFor(client: Pick<Reader, "find">): Judge {
  return async (_plan, run) => {
    const { environment, operation } = run.spec;
    const found = await client.find<Environment>(ENVIRONMENTS, run.metadata.namespace, environment.name);
    const wanted = found?.metadata.uid === environment.uid && found.metadata.deletionTimestamp === undefined;
    if (operation === "Apply" && !wanted) {
      return {
        verdict: "Refuse",
        reason: "Destroying",
        message: "the Environment is being deleted, so nothing is applied",
      };
    }
    return { verdict: "Apply", reason: "NoApprovalNeeded", message: "nobody has to be asked for this plan" };
  };
}
