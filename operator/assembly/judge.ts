import type { Environment } from "../api/environment.ts";
import type { Run } from "../api/run.ts";
import { judgePlan } from "../approval/judge.ts";
import type { Reader } from "../cluster/ports.ts";
import { ENVIRONMENTS } from "../cluster/resources.ts";
import type { PlanReport, Verdict } from "../gateway/protocol.ts";
import type { Judge } from "../gateway/verdict.ts";
import type { Clock } from "../loop/clock.ts";
import { outsideWindows } from "../run/outside-windows.ts";
import { whyPointless } from "../run/pointless.ts";

/**
 * A plan must not be pointless, the Run's rules decide whether people are asked, and what they need not be asked about still waits for a window.
 * Read from the API server itself: a cache may not know of a deletion yet.
 */
export function judgeFor(client: Pick<Reader, "find">, clock: Pick<Clock, "now">): Judge {
  return async (plan, run) => {
    const { namespace } = run.metadata;
    const environment = await client.find<Environment>(ENVIRONMENTS, namespace, run.spec.environment.name);
    const nowMs = clock.now().getTime();
    const pointless = whyPointless(run, environment, nowMs);
    if (pointless !== undefined) return { verdict: "Refuse", ...pointless };
    const judged = judgePlan(plan, run.spec.rules, run.spec.operation);
    return judged.verdict === "Apply" ? (waitsForWindow(plan, run, environment, nowMs) ?? judged) : judged;
  };
}

/** The window has closed while the plan was made. An empty one changes nothing, and need not wait. */
function waitsForWindow(
  plan: PlanReport,
  run: Run,
  environment: Environment | undefined,
  nowMs: number,
): Verdict | undefined {
  if (plan.empty && run.spec.operation === "Apply") return undefined;
  const outside = outsideWindows(run, environment, nowMs);
  return outside === undefined ? undefined : { verdict: "Hold", reason: outside.reason, message: outside.message };
}
