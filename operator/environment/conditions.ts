import { type FreshCondition, type Reason, standingOf } from "../api/conditions.ts";
import type { Environment } from "../api/environment.ts";
import { expiredText } from "./expiring.ts";
import { isAsDeclared, type Verdict } from "./verdict.ts";

/** What is done with the whole: a decision's type. */
export type Mode = "converge" | "expire" | "dismantle";

/** Of the whole, for people and for tools that wait: the component that explains best why it is not ready speaks for all. */
export function conditionsFor(
  environment: Environment,
  mode: Mode,
  verdicts: readonly Verdict[],
): readonly FreshCondition[] {
  const speaker = spokesman(verdicts);
  const stuck = speaker !== undefined && needsPerson(speaker) ? speaker : undefined;
  // A person is needed before the whole is ready, whatever goes on beside: tools take only one of the two for an answer.
  const moving =
    stuck === undefined &&
    (mode === "dismantle" || verdicts.some(movesByItself) || (speaker !== undefined && !rests(speaker)));
  const about = (verdict: Verdict): string => `${verdict.name}: ${verdict.message}`;
  const suspended = environment.spec.suspend && speaker === undefined;
  const ready: FreshCondition =
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
    (verdict) => !isAsDeclared(verdict) && verdict.state !== "Destroyed" && verdict.reason !== "Asleep",
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
  !needsPerson(verdict) &&
  !rests(verdict) &&
  !isAsDeclared(verdict) &&
  verdict.state !== "Destroyed" &&
  verdict.state !== "Blocked";

/** What sleeps is as it is declared to be: the whole is Ready, and says that this is not all that there could be. */
function readyAs(verdicts: readonly Verdict[], suspended: boolean): FreshCondition {
  const asleep = verdicts.filter(({ reason }) => reason === "Asleep");
  const [first] = asleep;
  const whole = suspended ? "applied; suspended" : "everything that is declared is applied";
  const names = asleep.map(({ name }) => name).join(", ");
  return {
    type: "Ready",
    status: "True",
    reason: first === undefined ? "Applied" : "Asleep",
    message: first === undefined ? whole : `${first.message}: ${names}`,
  };
}

const AT_REST = { converge: "Applied", expire: "Expired", dismantle: "Destroying" } as const satisfies Record<
  Mode,
  Reason
>;

const nothingLeftText = (mode: Mode, environment: Environment): string =>
  mode === "expire" ? expiredText(environment) : "being deleted";

/** There once it has been true: who waits for it to become false would wait for ever for one that disappears. */
function awaiting({ status }: Environment, verdicts: readonly Verdict[]): readonly FreshCondition[] {
  const type = "AwaitingApproval";
  const waiting = verdicts.filter(({ state }) => state === "AwaitingApproval");
  const [first] = waiting;
  const ever = status?.conditions?.some((condition) => condition.type === type) ?? false;
  if (first === undefined)
    return ever ? [{ type, status: "False", reason: "Progressing", message: NO_PLAN_WAITS }] : [];
  const others = waiting.length === 1 ? "" : ` (and ${waiting.length - 1} more)`;
  const message = `${first.name}: ${first.message}${others}`;
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

const progressText = (verdicts: readonly Verdict[]): string => busyText(verdicts) || "waiting";

function besideText(verdicts: readonly Verdict[]): string {
  const busy = busyText(verdicts);
  return busy === "" ? "nothing is under way" : `a person is needed; beside that goes on: ${busy}`;
}
