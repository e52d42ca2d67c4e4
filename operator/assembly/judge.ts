import type { Environment } from "../api/environment.ts";
import { judgePlan } from "../approval/judge.ts";
import type { Reader } from "../cluster/ports.ts";
import { ENVIRONMENTS } from "../cluster/resources.ts";
import type { Judge } from "../gateway/verdict.ts";
import { isPointless, POINTLESS } from "../run/pointless.ts";

/** A plan must not be pointless, and the Run's rules decide whether people are asked. Read from the API server itself: a cache may not know of a deletion yet. */
export function judgeFor(client: Pick<Reader, "find">): Judge {
  return async (plan, run) => {
    const { namespace } = run.metadata;
    const environment = await client.find<Environment>(ENVIRONMENTS, namespace, run.spec.environment.name);
    if (isPointless(run, environment)) return { verdict: "Refuse", ...POINTLESS };
    return judgePlan(plan, run.spec.rules, run.spec.operation);
  };
}
