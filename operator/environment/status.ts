import { type Condition, type Reason, standingOf } from "../api/conditions.ts";
import { cutBytes } from "../api/cut-bytes.ts";
import type { Environment } from "../api/environment.ts";
import type { ComponentState, ComponentStatus, EnvironmentStatus } from "../api/environment-status.ts";
import { ANNOTATIONS } from "../api/names.ts";
import { expiresAtMs } from "../approval/tally.ts";
import type { Decision } from "./decide.ts";
import { type DriftSeen, driftCondition, driftLine, driftSeen, nobodyLooks } from "./drift-seen.ts";
import { expiredText, expiring } from "./expiring.ts";
import { heldLock } from "./lock-standing.ts";
import { brokenPromise } from "./offered-outputs.ts";
import type { Published } from "./outputs.ts";
import { cutOffOf } from "./recovery.ts";
import { withinBudget } from "./status-budget.ts";
import type { Trouble, Verdict } from "./verdict.ts";
import { consentTo } from "./waiting-run.ts";

const LONGEST_MESSAGE = 160;

/** A condition before it is known when its status changed last. */
type Fresh = Omit<Condition, "lastTransitionTime" | "observedGeneration">;

/** The status that this decision amounts to: computed from this round's facts only, times of transitions apart. */
export function statusFor(
  environment: Environment,
  decision: Decision,
  published: Published,
  now: Date,
): EnvironmentStatus | undefined {
  if (decision.type === "letGo" || decision.type === "mark") return undefined;
  const { verdicts } = decision;
  const handled = environment.metadata.annotations?.[ANNOTATIONS.requestedAt];
  const promise = decision.type === "converge" ? brokenPromise(environment, verdicts) : undefined;
  const drifts = verdicts.flatMap((verdict) => driftSeen(environment, verdict) ?? []);
  const drifted = driftCondition(drifts) ?? nobodyLooks(environment);
  const conditions = [
    ...withTrouble(conditionsFor(environment, decision.type, verdicts), promise),
    ...expiring(environment, now.getTime()),
    ...(drifted === undefined ? [] : [drifted]),
  ];
  return withinBudget({
    observedGeneration: environment.metadata.generation ?? 0,
    conditions: withOutputTrouble(conditions, published).map((fresh) => dated(environment, fresh, now)),
    summary: summaryOf(decision.type, verdicts),
    components: verdicts
      .filter((verdict) => isShown(environment, verdict))
      .map((verdict) =>
        lineFor(
          environment,
          verdict,
          drifts.find(({ name }) => name === verdict.name),
        ),
      ),
    ...(published.lines.length === 0 ? {} : { outputs: published.lines }),
    ...(handled === undefined ? {} : { handledRequest: handled.slice(0, 256) }),
    ...(decision.type === "dismantle" && decision.isHeldBack === true ? { deletedWithMany: true } : {}),
  });
}

type Mode = "converge" | "expire" | "dismantle";

function summaryOf(mode: Mode, verdicts: readonly Verdict[]): string {
  const share = (wanted: ComponentState) =>
    `${verdicts.filter(({ state }) => state === wanted).length}/${verdicts.length}`;
  const asleep = verdicts.filter(({ reason }) => reason === "Asleep").length;
  if (mode === "converge") return `${share("Ready")} ready${asleep === 0 ? "" : `, ${asleep} asleep`}`;
  return `${mode === "expire" ? "expired, " : ""}${share("Destroyed")} gone`;
}

/** What is wrong with the whole is told when every component is well: until then they have something to tell. */
function withTrouble(conditions: readonly Fresh[], trouble: Trouble | undefined): readonly Fresh[] {
  if (trouble === undefined || !conditions.some(isReady)) return conditions;
  return conditions.map((fresh) => {
    if (fresh.type === "Ready") return { ...fresh, ...trouble, status: "False" };
    return fresh.type === "Stalled" ? { ...fresh, ...trouble, status: "True" } : fresh;
  });
}

const isReady = ({ type, status }: Fresh): boolean => type === "Ready" && status === "True";

/** Everything is applied, but what others read of it is not where they look for it. */
function withOutputTrouble(conditions: readonly Fresh[], { error }: Published): readonly Fresh[] {
  // Where a person is needed first, that stays what is told.
  if (error === undefined || conditions.some(({ type, status }) => type === "Stalled" && status === "True"))
    return conditions;
  const told = error instanceof Error ? error.message : String(error);
  // Of a refusal by a policy, its own sentence is what helps.
  const message = `writeOutputsTo: ${told.split("denied request: ").at(-1) ?? told}`.slice(0, 1024);
  return conditions.map((fresh) => {
    if (fresh.type === "Ready" && fresh.status === "True")
      return { ...fresh, status: "False", reason: "OutputsNotWritten", message };
    if (fresh.type === "Reconciling") return { ...fresh, status: "True", reason: "OutputsNotWritten", message };
    return fresh;
  });
}

/** A removed component stays in sight until what it made is gone. */
function isShown(environment: Environment, { name, state }: Verdict): boolean {
  return state !== "Destroyed" || environment.spec.components.some((component) => component.name === name);
}

function lineFor(environment: Environment, verdict: Verdict, drift: DriftSeen | undefined): ComponentStatus {
  const { past, name, state, reason, message } = withDrift(verdict, drift);
  const { latest, record } = past;
  const applied = record?.applied;
  const cutOff = cutOffOf(past);
  const declared = environment.spec.components.find((component) => component.name === name);
  const policy = declared?.deletionPolicy ?? rememberedPolicy(environment, verdict, declared !== undefined);
  const failing = verdict.retries !== undefined && verdict.wakeAtMs !== undefined;
  return {
    name,
    state,
    reason,
    ...(message === "" ? {} : { message: cutBytes(message, LONGEST_MESSAGE) }),
    ...(latest === undefined ? {} : { run: latest.metadata.name, number: latest.spec.number }),
    ...(applied?.revision === undefined ? {} : { revision: revisionText(applied.inputs.source, applied.revision) }),
    ...(latest?.status?.plan === undefined ? {} : { plan: latest.status.plan.counts }),
    ...approvalLine(verdict),
    ...(applied === undefined ? {} : { appliedAt: applied.at }),
    ...(failing ? { retryAt: new Date(verdict.wakeAtMs ?? 0).toISOString() } : {}),
    ...(verdict.retries === undefined ? {} : { retries: verdict.retries }),
    ...(policy === undefined ? {} : { deletionPolicy: policy }),
    ...lockLine(environment, verdict),
    ...(cutOff === undefined ? {} : { interrupted: cutOff.run }),
    ...driftLine(drift),
  };
}

function approvalLine({ state, past: { open } }: Verdict): Pick<ComponentStatus, "approval"> {
  const { plan, heldAt } = open?.status ?? {};
  if (state !== "AwaitingApproval" || open === undefined || plan === undefined || heldAt === undefined) return {};
  const until = expiresAtMs({ heldAtMs: Date.parse(heldAt), rules: open.spec.rules });
  const expiresAt = new Date(until).toISOString();
  return { approval: { planDigest: plan.digest, ...consentTo(open), since: heldAt, expiresAt } };
}

/** A lock that is in the way, and that of a Run while it changes things. In a plan it comes and goes: that is no news. */
function lockLine({ metadata }: Environment, { past, reason }: Verdict): Pick<ComponentStatus, "lock"> {
  const held = heldLock(past, metadata.uid);
  if (held === undefined) return {};
  const { holder, standing } = held;
  const isInTheWay = reason === "LockOrphaned" || reason === "LockForeign";
  const changes = past.open?.status?.phase === "Applying";
  const isNews = isInTheWay || (holder.by === "lock" && (standing !== "Live" || changes));
  const { run, pod, since } = holder;
  return isNews ? { lock: { run, pod, since, standing } } : {};
}

/** Shown only: what has drifted is as ready as before. */
function withDrift(verdict: Verdict, drift: DriftSeen | undefined): Verdict {
  if (verdict.state !== "Ready" || drift?.status !== "True") return verdict;
  return { ...verdict, state: "Drifted", reason: drift.reason, message: drift.message };
}

function rememberedPolicy(environment: Environment, { name }: Verdict, declared: boolean) {
  if (declared) return undefined;
  return environment.status?.components?.find((component) => component.name === name)?.deletionPolicy;
}

function revisionText(source: NonNullable<Environment["spec"]["source"]>, revision: string): string {
  const ref = source.git?.ref;
  const name = ref?.tag ?? ref?.branch ?? (ref?.commit === undefined ? "main" : "commit");
  return `${name}@sha1:${revision}`;
}

/** The component that explains best why the whole is not ready: first what needs a person, then what failed. */
function spokesman(verdicts: readonly Verdict[]): Verdict | undefined {
  const rank = (verdict: Verdict) => {
    const { state } = verdict;
    if (needsPerson(verdict)) return 0;
    if (state === "Failed" || state === "Interrupted") return 1;
    if (state === "AwaitingApproval") return 2;
    if (state === "Suspended") return 3;
    return state === "Blocked" ? 5 : 4;
  };
  const unready = verdicts.filter(
    ({ state, reason }) => state !== "Ready" && state !== "Destroyed" && reason !== "Asleep",
  );
  return unready.toSorted((a, b) => rank(a) - rank(b))[0];
}

function needsPerson({ state, reason, wakeAtMs }: Verdict): boolean {
  if (state === "Ready" || state === "Destroyed") return false;
  return standingOf(reason) === "person" || (state === "Failed" && wakeAtMs === undefined);
}

/** Held back by somebody's word: time alone does not bring it, and nobody is missed. */
const rests = ({ state, reason }: Verdict): boolean => state === "Suspended" && standingOf(reason) === "done";

const movesByItself = (verdict: Verdict): boolean =>
  !needsPerson(verdict) && !rests(verdict) && !["Ready", "Destroyed", "Blocked"].includes(verdict.state);

function conditionsFor(environment: Environment, mode: Mode, verdicts: readonly Verdict[]): readonly Fresh[] {
  const speaker = spokesman(verdicts);
  const stuck = speaker !== undefined && needsPerson(speaker) ? speaker : undefined;
  // A person is needed before the whole is ready, whatever goes on beside: tools take only one of the two for an answer.
  const moving =
    stuck === undefined &&
    (mode === "dismantle" || verdicts.some(movesByItself) || (speaker !== undefined && !rests(speaker)));
  const about = (verdict: Verdict): string => `${verdict.name}: ${verdict.message}`.slice(0, 1024);
  const suspended = environment.spec.suspend && speaker === undefined;
  const ready: Fresh =
    mode === "converge" && speaker === undefined
      ? readyAs(verdicts, suspended)
      : {
          type: "Ready",
          status: "False",
          reason: readyReason(mode, speaker),
          message: speaker === undefined ? nothingLeftText(mode, environment) : about(speaker),
        };
  return [
    ready,
    moving
      ? {
          type: "Reconciling",
          status: "True",
          reason: mode === "converge" ? "Progressing" : "Destroying",
          message: progressText(verdicts),
        }
      : {
          type: "Reconciling",
          status: "False",
          reason: speaker?.reason ?? AT_REST[mode],
          message: besideText(verdicts),
        },
    stuck === undefined
      ? {
          type: "Stalled",
          status: "False",
          reason: "Progressing",
          message: ready.status === "True" ? ready.message : "what is left goes on, or is tried again, by itself",
        }
      : { type: "Stalled", status: "True", reason: stuck.reason, message: about(stuck) },
    ...awaiting(environment, verdicts),
  ];
}

/** What sleeps is as it is declared to be: the whole is Ready, and says that this is not all that there could be. */
function readyAs(verdicts: readonly Verdict[], suspended: boolean): Fresh {
  const asleep = verdicts.filter(({ reason }) => reason === "Asleep");
  const [first] = asleep;
  const whole = suspended ? "applied; suspended" : "everything that is declared is applied";
  const names = asleep.map(({ name }) => name).join(", ");
  return {
    type: "Ready",
    status: "True",
    reason: first === undefined ? "Applied" : "Asleep",
    message: first === undefined ? whole : `${first.message}: ${names}`.slice(0, 1024),
  };
}

const AT_REST = { converge: "Applied", expire: "Expired", dismantle: "Destroying" } as const satisfies Record<
  Mode,
  Reason
>;

const nothingLeftText = (mode: Mode, environment: Environment): string =>
  mode === "expire" ? expiredText(environment) : "being deleted";

/** There once it has been true: who waits for it to become false would wait for ever for one that disappears. */
function awaiting({ status }: Environment, verdicts: readonly Verdict[]): readonly Fresh[] {
  const type = "AwaitingApproval";
  const waiting = verdicts.filter(({ state }) => state === "AwaitingApproval");
  const [first] = waiting;
  const ever = status?.conditions?.some((condition) => condition.type === type) ?? false;
  if (first === undefined)
    return ever ? [{ type, status: "False", reason: "Progressing", message: NO_PLAN_WAITS }] : [];
  const others = waiting.length === 1 ? "" : ` (and ${waiting.length - 1} more)`;
  const message = `${first.name}: ${first.message}${others}`.slice(0, 1024);
  return [{ type, status: "True", reason: "AwaitingApproval", message }];
}

const NO_PLAN_WAITS = "no plan waits for approval";

function readyReason(mode: Mode, speaker: Verdict | undefined): Reason {
  if (speaker !== undefined && (needsPerson(speaker) || speaker.state === "Failed")) return speaker.reason;
  if (speaker?.state === "AwaitingApproval") return "AwaitingApproval";
  if (mode === "dismantle") return "Destroying";
  if (speaker?.state === "Suspended") return speaker.reason;
  return mode === "expire" ? "Expired" : "Progressing";
}

const busyText = (verdicts: readonly Verdict[]): string =>
  verdicts
    .filter(movesByItself)
    .map(({ name, state }) => `${name} (${state})`)
    .join(", ");

const progressText = (verdicts: readonly Verdict[]): string => (busyText(verdicts) || "waiting").slice(0, 1024);

function besideText(verdicts: readonly Verdict[]): string {
  const busy = busyText(verdicts);
  return (busy === "" ? "nothing is under way" : `a person is needed; beside that goes on: ${busy}`).slice(0, 1024);
}

function dated(environment: Environment, fresh: Fresh, now: Date): Condition {
  const before = environment.status?.conditions?.find(({ type }) => type === fresh.type);
  const lastTransitionTime =
    before !== undefined && before.status === fresh.status ? before.lastTransitionTime : now.toISOString();
  return { ...fresh, observedGeneration: environment.metadata.generation ?? 0, lastTransitionTime };
}
