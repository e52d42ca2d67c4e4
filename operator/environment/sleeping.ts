import type { Component } from "../api/component.ts";
import type { Cause } from "../api/run.ts";
import { hasBegunToApply, hasDestroyed } from "../run/witness.ts";
import { asTime } from "../schedule/gate.ts";
import { sleepAt } from "../schedule/sleep.ts";
import { replacingWrite, writingText } from "../storage/record.ts";
import { decideComponent } from "./component.ts";
import { moveFromFormerName } from "./moving.ts";
import { type ComponentPast, type Observation, pastOf } from "./observation.ts";
import { awakeAfterCutOff } from "./recovery.ts";
import { decideRemoval } from "./removal.ts";
import type { UsersOf } from "./usage.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

type Needs = ReadonlyMap<string, Verdict>;

/** Decides about declared components, which may be asleep. */
export interface Sleepers {
  decide(component: Component, needs: Needs): Verdict;
}

/** `usersOf` names the components that use one and still hold objects. */
export function sleepers(observation: Observation, usersOf: UsersOf): Sleepers {
  const { environment, nowMs } = observation;
  const answer = sleepAt(environment.spec.lifetime?.sleep, nowMs);
  if (answer.state !== "asleep") {
    return { decide: (component, needs) => woken(decideComponent(observation, component, needs)) };
  }
  const until = answer.wakesAtMs === undefined ? "asleep" : `asleep until ${asTime(answer.wakesAtMs)}`;
  const destroyed = new Set(environment.spec.components.filter(isDestroyedAsleep).map(({ name }) => name));
  // How far an interrupted apply came, and what a state means that was put in, has to be looked at by a person first. Such a plan could not be
  // applied without what it uses.
  const whyAwake = remembered((name) => whyLookedAt(pastOf(observation, name)) ?? awakeForUser(name));
  const awakeForUser = (name: string): string | undefined => {
    const kept = usersOf(name).find((user) => destroyed.has(user) && whyAwake(user) !== undefined);
    return kept === undefined ? undefined : `${kept} does`;
  };
  return {
    decide(component, needs) {
      const { name, sleep } = component;
      if (sleep === undefined) return decideComponent(observation, component, needs);
      // Also those that are no longer declared and have not gone yet.
      const users = usersOf(name);
      const why = sleep.variables === undefined ? whyAwake(name) : awakeForUser(name);
      if (why !== undefined) return staysAwake(decideComponent(observation, component, needs), why);
      if (sleep.variables === undefined) return destroyedAsleep(observation, component, users, until);
      const destroyedUsers = users.filter((user) => destroyed.has(user));
      return scaledAsleep(decideComponent(observation, asleep(component), needs), destroyedUsers, until);
    },
  };
}

/** Many ways may lead to a component that many use: each is asked about once. */
function remembered<T>(answer: (name: string) => T): (name: string) => T {
  const answers = new Map<string, { readonly is: T }>();
  return (name) => {
    const known = answers.get(name) ?? { is: answer(name) };
    answers.set(name, known);
    return known.is;
  };
}

/** What was destroyed for the night already is not woken by a state that is put in: a person looks in the morning. */
function whyLookedAt(past: ComponentPast): string | undefined {
  const replaced = isDestroyed(past) ? undefined : replacingWrite(past.record);
  return awakeAfterCutOff(past) ?? (replaced === undefined ? undefined : writingText(replaced));
}

/** Nothing was begun since it was destroyed last. A record that was lost and made anew does not know that, but its Runs do. */
function isDestroyed({ record, runs }: ComponentPast): boolean {
  const { applied, attempted, lastResult } = record ?? {};
  if ((applied ?? attempted) !== undefined) return false;
  const last = runs.find((run) => hasBegunToApply(run) || hasDestroyed(run));
  return lastResult?.outcome.result === "Destroyed" || last?.spec.operation === "Destroy";
}

export const isDestroyedAsleep = ({ sleep }: Pick<Component, "sleep">): boolean => sleep?.destroy === true;

/** The component as it is to be applied while it sleeps. */
function asleep(component: Component): Component {
  const { terraform, sleep } = component;
  const own = new Set(sleep?.variables?.map(({ name }) => name));
  const others = (terraform.variables ?? []).filter(({ name }) => !own.has(name));
  return { ...component, terraform: { ...terraform, variables: [...others, ...(sleep?.variables ?? [])] } };
}

function destroyedAsleep(
  observation: Observation,
  component: Component,
  users: readonly string[],
  until: string,
): Verdict {
  const past = pastOf(observation, component.name);
  const moving = moveFromFormerName({ observation, past }, component);
  if (moving !== undefined) return verdictOf(past, moving);
  const verdict = decideRemoval(observation, component.name, "Asleep", users);
  // The record stays: what it was is needed again in the morning.
  if (verdict.state !== "Destroyed") return verdict;
  return {
    ...verdict,
    state: "Suspended",
    reason: "Asleep",
    message: until,
    step: { type: "none" },
    satisfied: false,
  };
}

function staysAwake(verdict: Verdict, why: string): Verdict {
  const isSilent = verdict.state === "Ready" && verdict.message === "";
  return isSilent ? { ...verdict, message: `stays awake, since ${why}` } : verdict;
}

function scaledAsleep(verdict: Verdict, users: readonly string[], until: string): Verdict {
  if (verdict.state === "Ready") return { ...verdict, reason: "Asleep", message: until };
  if (verdict.step.type !== "startRun") return verdict;
  if (users.length > 0) {
    const message = `falls asleep after ${users.join(", ")}`;
    return { ...verdict, state: "Blocked", reason: "Blocked", message, step: { type: "none" } };
  }
  return because(verdict, "Asleep");
}

/** The first Run of a component after its sleep. */
function woken(verdict: Verdict): Verdict {
  const slept = verdict.past.runs.find(({ status }) => status?.phase === "Succeeded")?.spec.cause.type === "Asleep";
  return slept ? because(verdict, "Woken") : verdict;
}

const OF_ITSELF: ReadonlySet<Cause["type"]> = new Set(["Created", "SpecChanged", "OutputsChanged"]);

/** A person's request, a moved source and a retry stay what they are. */
function because(verdict: Verdict, type: "Asleep" | "Woken"): Verdict {
  const { step } = verdict;
  if (step.type !== "startRun" || !OF_ITSELF.has(step.spec.cause.type)) return verdict;
  return { ...verdict, step: { ...step, spec: { ...step.spec, cause: { ...step.spec.cause, type } } } };
}
