import { type Condition, type FreshCondition, LONGEST_MESSAGE } from "../api/conditions.ts";
import { cutBytes } from "../api/cut-bytes.ts";
import type { Environment } from "../api/environment.ts";
import type { EnvironmentStatus } from "../api/environment-status.ts";
import { ANNOTATIONS } from "../api/names.ts";
import { componentLine } from "./component-line.ts";
import { conditionsFor, type Mode } from "./conditions.ts";
import type { Decision } from "./decide.ts";
import { driftCondition, driftSeen, nobodyLooks } from "./drift-seen.ts";
import { expiring } from "./expiring.ts";
import { brokenPromise } from "./offered-outputs.ts";
import type { Published } from "./outputs.ts";
import { withinBudget } from "./status-budget.ts";
import { isAsDeclared, type Trouble, type Verdict } from "./verdict.ts";

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
  const declared = new Set(environment.spec.components.map(({ name }) => name));
  const status = {
    observedGeneration: environment.metadata.generation ?? 0,
    conditions: withRefusal(withOutputTrouble(conditions, published), decision).map((fresh) =>
      dated(environment, fresh, now),
    ),
    summary: summaryOf(decision.type, verdicts),
    components: verdicts
      .filter((verdict) => isShown(environment, verdict))
      .map((verdict) =>
        componentLine(
          environment,
          verdict,
          drifts.find(({ name }) => name === verdict.name),
        ),
      ),
    ...(published.lines.length === 0 ? {} : { outputs: published.lines }),
    ...(handled === undefined ? {} : { handledRequest: handled.slice(0, 256) }),
    ...(decision.type === "dismantle" && decision.isHeldBack === true ? { deletedWithMany: true } : {}),
  };
  return withinBudget(status, declared);
}

function summaryOf(mode: Mode, verdicts: readonly Verdict[]): string {
  const share = (counts: (verdict: Verdict) => boolean) => `${verdicts.filter(counts).length}/${verdicts.length}`;
  const asleep = verdicts.filter(({ reason }) => reason === "Asleep").length;
  if (mode === "converge") return `${share(isAsDeclared)} ready${asleep === 0 ? "" : `, ${asleep} asleep`}`;
  return `${mode === "expire" ? "expired, " : ""}${share(({ state }) => state === "Destroyed")} gone`;
}

/** What is wrong with the whole is told when every component is well: until then they have something to tell. */
function withTrouble(conditions: readonly FreshCondition[], trouble: Trouble | undefined): readonly FreshCondition[] {
  if (trouble === undefined || !conditions.some(isReady)) return conditions;
  return conditions.map((fresh) => {
    if (fresh.type === "Ready") return { ...fresh, ...trouble, status: "False" };
    return fresh.type === "Stalled" ? { ...fresh, ...trouble, status: "True" } : fresh;
  });
}

const isReady = ({ type, status }: FreshCondition): boolean => type === "Ready" && status === "True";

/** Everything is applied, but what others read of it is not where they look for it. */
function withOutputTrouble(conditions: readonly FreshCondition[], { error }: Published): readonly FreshCondition[] {
  // Where a person is needed first, that stays what is told.
  if (error === undefined || conditions.some(({ type, status }) => type === "Stalled" && status === "True"))
    return conditions;
  const told = error instanceof Error ? error.message : String(error);
  // Of a refusal by a policy, its own sentence is what helps.
  const message = `writeOutputsTo: ${told.split("denied request: ").at(-1) ?? told}`;
  return conditions.map((fresh) => {
    if (fresh.type === "Ready" && fresh.status === "True")
      return { ...fresh, status: "False", reason: "OutputsNotWritten", message };
    if (fresh.type === "Reconciling") return { ...fresh, status: "True", reason: "OutputsNotWritten", message };
    return fresh;
  });
}

/** Nothing is left but the object itself, which goes on being deleted. */
function withRefusal(conditions: readonly FreshCondition[], decision: Decision): readonly FreshCondition[] {
  if (decision.type !== "expire" || decision.deletionRefused === undefined) return conditions;
  const message = `nothing is left, and the object cannot be deleted: ${decision.deletionRefused}`;
  return conditions.map((fresh) => (fresh.type === "Ready" ? { ...fresh, message } : fresh));
}

/** A removed component stays in sight until what it made is gone. */
function isShown(environment: Environment, { name, state }: Verdict): boolean {
  return state !== "Destroyed" || environment.spec.components.some((component) => component.name === name);
}

/** With the generation that it is said of, and since when it is so. */
export function dated(environment: Environment, fresh: FreshCondition, now: Date): Condition {
  const before = environment.status?.conditions?.find(({ type }) => type === fresh.type);
  const lastTransitionTime =
    before !== undefined && before.status === fresh.status ? before.lastTransitionTime : now.toISOString();
  const message = cutBytes(fresh.message, LONGEST_MESSAGE);
  return { ...fresh, message, observedGeneration: environment.metadata.generation ?? 0, lastTransitionTime };
}
