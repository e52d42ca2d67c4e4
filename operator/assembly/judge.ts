import type { Environment } from "../api/environment.ts";
import type { Run } from "../api/run.ts";
import { judgePlan, questionAbout } from "../approval/judge.ts";
import type { Reader } from "../cluster/ports.ts";
import { ENVIRONMENTS } from "../cluster/resources.ts";
import { whyNotAsDeclaredSince } from "../environment/declared-since.ts";
import type { Evaluate } from "../expressions/thread.ts";
import type { PlanReport, Verdict } from "../gateway/protocol.ts";
import type { Judge } from "../gateway/verdict.ts";
import type { Clock } from "../loop/clock.ts";
import { CANCELLED_BEFORE_IT_BEGAN, isCancelled } from "../run/cancel.ts";
import { whyNotNow } from "../run/not-now.ts";
import { whyPointless } from "../run/pointless.ts";
import { type AskedAbout, type FreshParts, freshStanding } from "./plan-standing.ts";

export interface JudgeParts extends FreshParts {
  readonly client: Pick<Reader, "find"> & FreshParts["client"];
  readonly clock: Pick<Clock, "now">;
  readonly evaluate: Evaluate;
}

/** It has been judged by its rules, with the whole list of its changes, when it was made. */
const WAITED: Verdict = { verdict: "Hold", reason: "AwaitingApproval", message: "the plan waits for approval" };

/**
 * Nobody may have cancelled its Run, a plan must not be pointless, its rules must still be those that are declared, they decide whether people are
 * asked, and what they need not be asked about still waits for a window, and for the end of a suspension. Read from the API server itself: a cache
 * may not know of a deletion yet.
 */
export function judgeFor(parts: JudgeParts): Judge {
  const { client, clock, evaluate } = parts;
  return async (plan, run, { phase, record, signal }) => {
    const { namespace } = run.metadata;
    const { rules, operation } = run.spec;
    // It may take a while to be answered: whatever can change meanwhile is read after it.
    const question = phase === "Plan" ? questionAbout(plan, rules, operation) : undefined;
    const answer = question && (await evaluate({ ...question, run: run.metadata.uid }, signal));
    const environment = await client.find<Environment>(ENVIRONMENTS, namespace, run.spec.environment.name);
    if (isCancelled(run, environment)) {
      const { reason, message } = CANCELLED_BEFORE_IT_BEGAN;
      return { verdict: "Refuse", reason, message };
    }
    const nowMs = clock.now().getTime();
    const pointless = whyPointless(run, environment, nowMs);
    if (pointless !== undefined) return { verdict: "Refuse", ...pointless };
    const notNow = hasToWait(plan, run, environment, nowMs);
    if (phase === "Apply") {
      return notNow ?? (await calledOff(parts, { run, environment, own: record, nowMs }, signal)) ?? WAITED;
    }
    const own = environment?.metadata.uid === run.spec.environment.uid ? environment : undefined;
    const other = own && whyNotAsDeclaredSince(run, own, record);
    if (other !== undefined) return { verdict: "Refuse", reason: "Superseded", message: other };
    // What has to wait is a plan that waits: then people are asked, whatever it is.
    const judged = judgePlan(plan, rules, operation, notNow === undefined ? answer : undefined);
    return judged.verdict === "Apply" ? (notNow ?? judged) : judged;
  };
}

/**
 * What a plan waited for may have become another while it waited, and its Environment may have been edited when nobody led: then no annotation
 * on the Run says so yet.
 */
async function calledOff(
  parts: FreshParts,
  { environment, ...asked }: Omit<AskedAbout, "environment"> & { readonly environment: Environment | undefined },
  signal: AbortSignal,
): Promise<Verdict | undefined> {
  // A destroy goes on without an Environment.
  if (environment?.metadata.uid !== asked.run.spec.environment.uid) return undefined;
  const standing = await freshStanding(parts, { ...asked, environment }, signal);
  if (standing.type === "stands") return undefined;
  const message = standing.type === "void" ? standing.why : `something has come in between: ${standing.why}`;
  return { verdict: "Refuse", reason: "Superseded", message: message.slice(0, 1024) };
}

/** It was suspended, or the window has closed, while the plan was made. An empty one changes nothing, and need not wait. */
function hasToWait(
  plan: PlanReport,
  run: Run,
  environment: Environment | undefined,
  nowMs: number,
): Verdict | undefined {
  if (plan.empty && run.spec.operation === "Apply") return undefined;
  const notNow = whyNotNow(run, environment, nowMs);
  return notNow === undefined ? undefined : { verdict: "Hold", reason: notNow.reason, message: notNow.message };
}
