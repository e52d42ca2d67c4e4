import { FINALIZERS } from "../api/names.ts";
import { isClosed } from "../api/run.ts";
import { type Gate, gateOf } from "../schedule/gate.ts";
import { isExpired, lifeOf, nextAgeAt } from "../schedule/lifetime.ts";
import { sleepAt } from "../schedule/sleep.ts";
import { type RulesToNote, rulesToNote } from "./declared-rules.ts";
import { dependenciesOf, graphOf, orderOf } from "./graph.ts";
import { nextTooOldAtMs } from "./history.ts";
import { heldBack, isHeldBack } from "./many-deletions.ts";
import { comingFrom } from "./moving.ts";
import { type Observation, pastOf } from "./observation.ts";
import { lostState } from "./record-trouble.ts";
import { withCutOffTold } from "./recovery.ts";
import { componentsWithoutRecord, decideRemoval, type Ending, isToBeSeenTo, removedComponents } from "./removal.ts";
import { withUsableRules } from "./rules.ts";
import { sleepers } from "./sleeping.ts";
import { type UsersOf, usersOf } from "./usage.ts";
import { type Verdict, verdictOf } from "./verdict.ts";
import { isOverrideSpent, withinWindows } from "./within-windows.ts";

/** What is to be done about an Environment now. */
export type Decision =
  /** The Environment is marked first: from then on it cannot disappear before what it made. */
  | { readonly type: "mark" }
  /** Bring every component to what is declared, and remove those that no longer are. */
  | ({ readonly type: "converge" } & Verdicts)
  /** The Environment is being deleted: destroy or release, in reverse order. */
  | ({ readonly type: "dismantle"; readonly isHeldBack?: boolean } & Verdicts)
  /** Its lifetime is over: destroy or release as at a deletion. The object stays, unless the spec wants it deleted afterwards. */
  | ({
      readonly type: "expire";
      readonly deletesObject: boolean;
      /** Why the object is still there. */
      readonly deletionRefused?: string;
    } & Verdicts)
  /** Nothing is left: the object may go. */
  | { readonly type: "letGo" };

interface Verdicts {
  readonly verdicts: readonly Verdict[];
  /** The annotation that overrides the windows has done what it was for, and goes. */
  readonly overrideSpent?: boolean;
  /** Rules that were declared since the last apply. */
  readonly rulesToNote?: readonly RulesToNote[];
  /** When the Environment as a whole has to be looked at again (wall clock, ms). */
  readonly wakeAtMs?: number;
}

/** Pure and total: every observation has exactly one decision, and no decision throws. */
export function decide(observation: Observation): Decision {
  const { metadata } = observation.environment;
  const marked = metadata.finalizers?.includes(FINALIZERS.environment) ?? false;
  if (metadata.deletionTimestamp !== undefined) return marked ? dismantle(observation) : { type: "letGo" };
  if (!marked) return { type: "mark" };
  return isExpired(observation.environment, observation.nowMs) ? expire(observation) : converge(observation);
}

function concluded(observation: Observation, gate: Gate, verdicts: readonly Verdict[]): Verdicts {
  const { environment, nowMs } = observation;
  const unnoted = rulesToNote(observation);
  const sleep = sleepAt(environment.spec.lifetime?.sleep, nowMs);
  const turnsAtMs =
    sleep.state === "asleep" ? sleep.wakesAtMs : sleep.state === "awake" ? sleep.fallsAsleepAtMs : undefined;
  const tooOld = verdicts.map(({ past }) => nextTooOldAtMs(past, environment.spec.history, nowMs));
  const moments = [nextAgeAt(lifeOf(environment), nowMs), turnsAtMs, ...tooOld].filter((at) => at !== undefined);
  const wakeAtMs = moments.length === 0 ? undefined : Math.min(...moments);
  return {
    verdicts,
    ...(isOverrideSpent(environment, gate, verdicts) ? { overrideSpent: true } : {}),
    ...(unnoted.length === 0 ? {} : { rulesToNote: unnoted }),
    ...(wakeAtMs === undefined ? {} : { wakeAtMs }),
  };
}

function converge(observation: Observation): Decision {
  const gate = gateOf(observation.environment, observation.nowMs);
  const users = usersOf(observation);
  const coming = comingFrom(observation);
  // What is to come from a former name is told of under the new one.
  const unrecorded = componentsWithoutRecord(observation).filter((name) => !coming.has(name));
  const removed = (names: readonly string[]) => removals({ observation, names, ending: "Removed", gate, users });
  const verdicts = [
    ...declared(observation, gate, users),
    ...removed(removedComponents(observation)),
    ...removed(unrecorded).filter(isThere),
  ];
  return { type: "converge", ...concluded(observation, gate, verdicts) };
}

function declared(observation: Observation, gate: Gate, users: UsersOf): readonly Verdict[] {
  const { components } = observation.environment.spec;
  const graph = graphOf(components.map((component) => [component.name, dependenciesOf(component)] as const));
  const { order, cycle } = orderOf(graph);
  const verdicts = new Map<string, Verdict>();
  const allowed = withinWindows(gate);
  const ruled = withUsableRules(observation.environment);
  const { decide } = sleepers(observation, users);
  for (const name of order) {
    const component = components.find((candidate) => candidate.name === name);
    if (component === undefined) continue;
    const needs = [...dependenciesOf(component)].map((needed) => [needed, verdicts.get(needed)] as const);
    const known = needs.filter((entry): entry is readonly [string, Verdict] => entry[1] !== undefined);
    verdicts.set(name, withCutOffTold(ruled(allowed(decide(component, new Map(known))))));
  }
  return components.map(({ name }) => verdicts.get(name) ?? onCycle(observation, name, cycle ?? []));
}

/** Of a component whose record is missing, it is not known that nothing is left. */
const isThere = ({ state }: Verdict): boolean => state !== "Destroyed";

function onCycle(observation: Observation, name: string, cycle: readonly string[]): Verdict {
  const message = cycle.includes(name)
    ? `components depend on each other in a circle: ${cycle.join(" → ")}`
    : `waits behind a circle of dependencies: ${cycle.join(" → ")}`;
  const past = pastOf(observation, name);
  const isMoving = observation.records.some(({ movingTo }) => movingTo === name);
  const lost = past.open === undefined && !isMoving ? lostState({ observation, past }) : undefined;
  return verdictOf(past, lost ?? { state: "Stalled", reason: "DependencyCycle", message });
}

interface Removals {
  readonly observation: Observation;
  readonly names: readonly string[];
  readonly ending: Ending;
  readonly gate: Gate;
  readonly users: UsersOf;
}

/** Each after everything that uses it. */
function removals({ observation, names, ending, gate, users }: Removals): readonly Verdict[] {
  const allowed = withinWindows(gate);
  return names.map((name) => allowed(decideRemoval(observation, name, ending, users(name))));
}

/** Every component that is declared, or that something is left of. */
function everything(observation: Observation) {
  const { environment, records, runs } = observation;
  const owned = records.filter((record) => isToBeSeenTo(record, environment));
  const busy = runs.filter((run) => !isClosed(run) || (run.metadata.finalizers ?? []).length > 0);
  const names = new Set([
    ...environment.spec.components.map(({ name }) => name),
    ...owned.map(({ key }) => key.component),
    ...busy.map(({ spec }) => spec.component),
    ...componentsWithoutRecord(observation),
  ]);
  return { names: [...names], isLeft: owned.length > 0 || busy.length > 0 };
}

function expire(observation: Observation): Decision {
  const gate = gateOf(observation.environment, observation.nowMs);
  const { names, isLeft } = everything(observation);
  const verdicts = removals({ observation, names, ending: "Expired", gate, users: usersOf(observation) });
  const isGone = !isLeft && !verdicts.some(isThere);
  const deletesObject = isGone && observation.environment.spec.lifetime?.then === "DeleteObject";
  return { type: "expire", deletesObject, ...concluded(observation, gate, verdicts) };
}

function dismantle(observation: Observation): Decision {
  const { environment, crdTerminating } = observation;
  const { names, isLeft } = everything(observation);
  const gate = gateOf(environment, observation.nowMs);
  const verdicts = removals({ observation, names, ending: "Deleted", gate, users: usersOf(observation) });
  if (!isLeft && !verdicts.some(isThere)) return { type: "letGo" };
  const isHeld = isHeldBack(observation);
  const meant = isHeld ? verdicts.map(heldBack) : verdicts;
  return {
    type: "dismantle",
    ...(isHeld ? { isHeldBack: true } : {}),
    ...concluded(observation, gate, crdTerminating ? verdicts.map(withheld) : meant),
  };
}

/** Someone removes the kind itself: that says nothing about the real objects, so none of them is touched. */
function withheld(verdict: Verdict): Verdict {
  if (verdict.step.type === "none") return verdict;
  return {
    ...verdict,
    state: "Stalled",
    reason: "CRDTerminating",
    message: "the custom resource definition is being deleted; nothing is destroyed because of that",
    step: { type: "none" },
  };
}
