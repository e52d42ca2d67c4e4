import type { Environment } from "../api/environment.ts";
import type { Reader } from "../cluster/ports.ts";
import { ENVIRONMENTS } from "../cluster/resources.ts";
import type { Judge } from "../gateway/verdict.ts";
import { isPointless, POINTLESS } from "../run/pointless.ts";

/** Nobody has to be asked for a plan, but it must not be pointless. Read from the API server itself: a cache may not know of a deletion yet. */
export function judgeFor(client: Pick<Reader, "find">): Judge {
  return async (_plan, run) => {
    const { namespace } = run.metadata;
    const environment = await client.find<Environment>(ENVIRONMENTS, namespace, run.spec.environment.name);
    if (isPointless(run, environment)) return { verdict: "Refuse", ...POINTLESS };
    return { verdict: "Apply", reason: "NoApprovalNeeded", message: "nobody has to be asked for this plan" };
  };
}
