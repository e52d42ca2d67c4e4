import { requiredFor } from "../api/rules-for-plan.ts";
import type { Run } from "../api/run.ts";
import type { NotNow } from "../run/not-now.ts";
import { supersededOutcome } from "../run/waiting.ts";
import { intentOf, permitted } from "../storage/applying.ts";
import { changeRecord } from "../storage/change.ts";
import { mustHold } from "../storage/claims.ts";
import { heldFor, mayBeHeld } from "../storage/holding.ts";
import type { ComponentRecord } from "../storage/record.ts";
import { Refused } from "../storage/refusal.ts";
import { answerHeld } from "./approved.ts";
import { digestWith, type GatewayContext } from "./context.ts";
import { heldPlan, type PlanReport, type PlanRequest, type Verdict } from "./protocol.ts";
import type { Session } from "./sessions.ts";
import { usedLogin } from "./used-login.ts";

/** Decides what becomes of a plan: one that is fresh (phase Plan), or one that waited and whose rules have been asked (phase Apply). */
export type Judge = (
  plan: PlanReport,
  run: Run,
  circumstances: {
    readonly phase: Session["phase"];
    readonly signal: AbortSignal;
    /** Of the Run's component, as it was read for this question. */
    readonly record?: ComponentRecord | undefined;
  },
) => Verdict | Promise<Verdict>;

/** As long as nobody has to be asked, every plan is applied. */
export const applyEveryPlan: Judge = () => ({
  verdict: "Apply",
  reason: "NoApprovalNeeded",
  message: "nobody has to be asked for this plan",
});

/** The answer to a plan. When it says Apply, the store knows already that objects may exist from now on. */
export async function answerPlan(
  context: GatewayContext,
  session: Session,
  report: PlanRequest,
  signal: AbortSignal,
): Promise<Verdict> {
  const { statuses, clock } = context;
  const run = await statuses.run(session, signal);
  if (run === undefined) throw new Refused("Fenced", `Run ${session.run} does not exist any more`);
  const at = clock.now();
  const judged = await judge(context, session, report, { run, at, signal });
  const [answer, begunAt] = await record(context, session, report, { run, judged, at, signal });
  const applyStartedAt = begunAt === undefined ? {} : { applyStartedAt: begunAt };
  // Of a plan that waited, the record shows when it was made and what was asked.
  if (session.phase === "Plan") await statuses.planned(session, { report, answer, at, ...applyStartedAt }, signal);
  else if (begunAt !== undefined) await statuses.applying(session, begunAt, answer.message, signal);
  return answer;
}

interface Question {
  readonly run: Run;
  readonly at: Date;
  readonly signal: AbortSignal;
}

/** A fresh plan is judged by its rules; one that waited, by what people have said meanwhile; one that has begun, not again. */
async function judge(
  { judge: judgePlan, store, approvals }: GatewayContext,
  session: Session,
  report: PlanReport,
  { run, at, signal }: Question,
): Promise<Verdict> {
  const { phase } = session;
  const found = (await store.record(session.key, signal))?.value;
  const begun = found?.claim?.runUid === session.runUid ? found.claim.applying : undefined;
  // The answer was lost, and is given again.
  if (begun?.planDigest === report.digest)
    return { verdict: "Apply", reason: "Approved", message: "the apply has begun" };
  if (phase === "Plan") return judgePlan(report, run, { phase, signal, record: found });
  const superseded = supersededOutcome(run);
  if (superseded !== undefined) return { verdict: "Refuse", reason: "Superseded", message: superseded.message };
  const judged = await judgePlan(report, run, { phase, signal, record: found });
  if (judged.verdict === "Refuse") return judged;
  // It was suspended, or the window has closed again, while this pod started.
  if (NOT_NOW.includes(judged.reason)) return { ...judged, verdict: "Refuse" };
  const held = found === undefined ? undefined : heldFor(found, session);
  return answerHeld(held, report, run, await approvals(run, signal), at);
}

const NOT_NOW: readonly string[] = [
  "Suspended",
  "WindowClosed",
  "ScheduleInvalid",
] satisfies readonly NotNow["reason"][];

interface Judged extends Question {
  readonly judged: Verdict;
}

async function record(
  { store, digestOfApplied }: GatewayContext,
  session: Session,
  report: PlanRequest,
  { run, judged, at, signal }: Judged,
): Promise<[Verdict, string | undefined]> {
  // An empty plan of a destroy is applied all the same: it takes what is gone already out of the state.
  const nothingToApply = report.empty && session.operation === "Apply";
  if (judged.verdict === "Hold" && !nothingToApply) {
    const [plan, login] = [heldPlan.parse(report), usedLogin(run, report, at)];
    await changeRecord(store, session.key, (found) => mayBeHeld(found, session, plan, login), signal);
    return [judged, undefined];
  }
  if (judged.verdict !== "Apply" || nothingToApply) {
    await changeRecord(store, session.key, (found) => ({ answer: mustHold(found, session) }), signal);
    return [judged, undefined];
  }
  const { revision } = report;
  const intentWith = ({ claim }: ComponentRecord) => ({
    ...intentOf(session, run.spec, revision),
    desiredDigest: digestWith(digestOfApplied, run.spec, { revision, claim }),
  });
  const correction = run.spec.cause.type === "DriftFound";
  const shown = session.phase === "Apply" && requiredFor(run.spec.rules, report.counts) > 0;
  const ofItself = run.spec.cause.type === "Asleep";
  const request = { operation: session.operation, planDigest: report.digest, correction, shown, ofItself };
  const { answer } = await changeRecord(
    store,
    session.key,
    (found) => permitted(found, session, { ...request, intent: intentWith(found) }, at),
    signal,
  );
  if (answer.type === "granted") return [judged, answer.at];
  if (answer.type === "unseen") {
    const message = `${answer.why}: another plan is made for that`;
    return [{ verdict: "Refuse", reason: "Superseded", message }, undefined];
  }
  const message = "this pod was told to apply another plan before; how far that went is not known";
  return [{ verdict: "Refuse", reason: "Interrupted", message }, undefined];
}
