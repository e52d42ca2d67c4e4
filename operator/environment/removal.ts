import type { RunRules } from "../api/approval.ts";
import type { Component, DeletionPolicy } from "../api/component.ts";
import { deletionPolicyOf, KEPT } from "../api/deletion-policy.ts";
import { digestOf } from "../api/digest.ts";
import type { Environment } from "../api/environment.ts";
import { ANNOTATIONS } from "../api/names.ts";
import type { Run } from "../api/run.ts";
import { stateNameOf } from "../run/witness.ts";
import { type ComponentRecord, destroyBasisOf, replacingWrite } from "../storage/record.ts";
import { attemptedNow, attemptSpec } from "./attempt-spec.ts";
import { answerAfterFailure, lastFailure, triesOfThisTurn } from "./attempts.ts";
import { inputsOf } from "./desired.ts";
import { leftLock } from "./lock-standing.ts";
import { isToldLost, namesToldLost, toldLoss } from "./lost-state.ts";
import { comingFrom, unfinishedMove } from "./moving.ts";
import { type ComponentSeen, type Observation, pastOf } from "./observation.ts";
import { answerForOpenRun } from "./open-run.ts";
import { lostState, recordTrouble } from "./record-trouble.ts";
import { leftBehind } from "./recovery.ts";
import { asksPeople } from "./rules.ts";
import { exemptingNothing, rulesOfDestroy, whyNotByRules } from "./rules-of-run.ts";
import { type Answer, type Verdict, verdictOf } from "./verdict.ts";
import { supersede, waitingRun, whyOfAnotherState } from "./waiting-run.ts";

/** Why something goes: its declaration was removed, or the whole Environment is being deleted, or has come to the end of its lifetime; or it falls asleep. */
export type Ending = "Removed" | "Deleted" | "Expired" | "Asleep";

/** Records of this Environment whose component is no longer declared, and is not the former name of one. */
export function removedComponents(observation: Observation): readonly string[] {
  const { environment, records } = observation;
  const declared = new Set(environment.spec.components.map(({ name }) => name));
  const coming = comingFrom(observation);
  return records
    .filter((record) => isToBeSeenTo(record, environment))
    .map(({ key }) => key.component)
    .filter((name) => !declared.has(name) && !coming.has(name))
    .sort();
}

/** What was released is nobody's business any more, unless it is on its way to another name. */
export function isToBeSeenTo(record: ComponentRecord, { metadata }: Environment): boolean {
  const { owner, ownership, movingTo } = record;
  return owner.environmentUid === metadata.uid && (ownership === "Owned" || movingTo !== undefined);
}

/** Components that only Runs tell of, or that the status has called lost: neither declared nor in the store. */
export function componentsWithoutRecord({ environment, records, runs }: Observation): readonly string[] {
  const stored = new Set(records.map(({ key }) => key.component));
  // A state that is on its way is told of under the name that it has still.
  const known = new Set([...stored, ...records.flatMap(({ movingTo }) => movingTo ?? [])]);
  for (const { name, formerName } of environment.spec.components) {
    known.add(name);
    // What has moved is told of under its new name.
    if (formerName !== undefined && stored.has(name)) known.add(formerName);
  }
  const told = [...runs.flatMap((run) => stateNameOf(run) ?? []), ...namesToldLost(environment)];
  return [...new Set(told)].filter((name) => !known.has(name)).sort();
}

/** Where does a component that must go stand, and what is its next step? */
export function decideRemoval(
  observation: Observation,
  name: string,
  ending: Ending,
  dependents: readonly string[],
): Verdict {
  const past = pastOf(observation, name);
  return verdictOf(past, firstAnswer({ observation, past, ending, dependents }));
}

interface Subject extends ComponentSeen {
  readonly ending: Ending;
  /** Components that use this one and are not gone yet. */
  readonly dependents: readonly string[];
}

function firstAnswer(subject: Subject): Answer {
  const { observation, past } = subject;
  const moving = unfinishedMove(subject);
  if (moving !== undefined) return moving;
  const waiting = waitingRun(past);
  if (waiting !== undefined) return voidOrWaiting(subject, waiting);
  if (past.open !== undefined) return answerForOpenRun(past.open);
  const { record } = past;
  if (record === undefined) return withoutRecord(subject);
  if (record.owner.environmentUid !== observation.environment.metadata.uid) return gone("Destroyed");
  if (record.ownership === "Released") return gone("Released");
  return (
    toldLost(subject) ??
    troubleWithRecord(subject) ??
    leftForMorning(subject, record) ??
    nothingLeft(subject, record) ??
    retained(subject) ??
    unconfirmed(subject) ??
    neededByOthers(subject) ??
    suspended(subject) ??
    destroyOrWait(subject, record)
  );
}

/** A plan of it waits for people: to be applied although the component shall go, or to destroy it although that is no longer wanted. */
function voidOrWaiting(subject: Subject, run: Run): Answer {
  if (run.spec.operation !== "Destroy") return supersede(run, "the component is to be removed");
  if (policyOf(subject) === "Retain") return supersede(run, KEPT);
  const { environment } = subject.observation;
  const { request } = attemptedNow(environment, "");
  if (request !== undefined && request !== run.spec.request)
    return supersede(run, `a fresh plan was asked for: ${ANNOTATIONS.requestedAt}=${request}`.slice(0, 512));
  const other = whyNotByRules(run, rulesOf(subject)) ?? whyOfAnotherState(subject.past, run);
  if (other !== undefined) return supersede(run, other);
  // What has been destroyed may be there again, as where a person has put its state back.
  const heldBack = neededByOthers(subject)?.message;
  return { ...answerForOpenRun(run), ...(heldBack === undefined ? {} : { heldBack }) };
}

/** Also where its state still has its former name. */
export function declarationOf(observation: Observation, component: string): Component | undefined {
  const declared = observation.environment.spec.components.find(({ name }) => name === component);
  return declared ?? comingFrom(observation).get(component);
}

function rulesOf({ observation, past, ending }: Subject): RunRules {
  const rules = rulesOfDestroy(observation.environment, declarationOf(observation, past.name), past);
  return ending === "Removed" ? exemptingNothing(rules) : rules;
}

/** Nothing is known, which is not the same as nothing exists: the Runs know whether something was made. */
function withoutRecord(subject: Subject): Answer {
  if (policyOf(subject) === "Retain") return gone("Released");
  return toldLost(subject) ?? lostState(subject) ?? gone("Destroyed");
}

/** To give it up is the way out, also where nobody has a copy of it. */
function toldLost(subject: Subject): Answer | undefined {
  const message = toldLoss(subject.observation.environment, subject.past);
  if (message === undefined || policyOf(subject) === "Retain") return undefined;
  return { state: "Stalled", reason: "StateLost", message };
}

/** What is given up is let go as it is, whatever is missing of it, once nobody has it locked. */
function troubleWithRecord(subject: Subject): Answer | undefined {
  const trouble = recordTrouble(subject);
  if (trouble === undefined || !isToldLost(trouble)) return trouble;
  return policyOf(subject) === "Retain" ? (leftLock(subject) ?? retained(subject)) : trouble;
}

function gone(reason: "Destroyed" | "Released"): Answer {
  const message = reason === "Destroyed" ? "nothing of it exists" : "what exists was kept, and its state released";
  return { state: "Destroyed", reason, message, satisfied: true };
}

/**
 * A state that was put in after its component had been destroyed for the night, or moved in before anything was applied: a person looks at it
 * when they are awake, too, and nothing says yet how to destroy it.
 */
function leftForMorning({ ending }: Subject, record: ComponentRecord): Answer | undefined {
  const isPutIn = replacingWrite(record) !== undefined || destroyBasisOf(record) === undefined;
  return ending === "Asleep" && isPutIn ? gone("Destroyed") : undefined;
}

function nothingLeft(subject: Subject, record: ComponentRecord): Answer | undefined {
  if (record.mayHoldObjects) return undefined;
  // The record of what sleeps stays, and with it the journal.
  const left = subject.ending === "Asleep" ? undefined : leftBehind(subject);
  if (left !== undefined) {
    const named = left.things.map(({ address, id }) => (id === undefined ? address : `${address} (${id})`));
    const unnamed = left.isUntold ? "what the journal tells" : `${left.more} more`;
    const isWhole = left.more === 0 && !left.isUntold;
    const things = isWhole
      ? named.join(", ")
      : `${[named.join(", "), unnamed].filter(Boolean).join(" and ")}: see kubectl terrarium state imports`;
    // What to do comes first: the status cuts long messages.
    const message = `remove by hand what is left of what ${left.runs} had begun, then set ${ANNOTATIONS.confirmGone}=${left.run}: ${things}`;
    return { state: "Stalled", reason: "LeftBehind", message: message.slice(0, 1024) };
  }
  // Where the status calls it lost, that is taken back first: without a record it would stay true for ever.
  const isTold = namesToldLost(subject.observation.environment).includes(subject.past.name);
  return { ...gone("Destroyed"), satisfied: false, step: { type: isTold ? "none" : "forgetState" } };
}

export function policyOf({ observation, past }: ComponentSeen): DeletionPolicy {
  return deletionPolicyOf(observation.environment, past.name, declarationOf(observation, past.name));
}

function retained(subject: Subject): Answer | undefined {
  if (policyOf(subject) !== "Retain") return undefined;
  return { ...gone("Released"), satisfied: false, step: { type: "releaseState" } };
}

/** Names of the components whose destruction a person has confirmed. */
export function confirmationsOf({ metadata }: Observation["environment"]): readonly string[] {
  const names = metadata.annotations?.[ANNOTATIONS.confirmDestroy]?.split(",") ?? [];
  return names.map((name) => name.trim()).filter((name) => name !== "");
}

/** Where people have to approve the plan that destroys, that is the confirmation. */
function unconfirmed(subject: Subject): Answer | undefined {
  const { observation, past, ending } = subject;
  if (ending !== "Removed" || asksPeople(rulesOf(subject))) return undefined;
  if (confirmationsOf(observation.environment).includes(past.name)) return undefined;
  return {
    state: "Stalled",
    reason: "RemovalNeedsConfirmation",
    // What to do comes first: the status cuts long messages.
    message: `annotate the Environment with ${ANNOTATIONS.confirmDestroy}=${past.name} to destroy what it made: it is no longer declared`,
  };
}

function neededByOthers({ dependents }: Subject): Answer | undefined {
  if (dependents.length === 0) return undefined;
  return { state: "Blocked", reason: "Blocked", message: `is destroyed after ${dependents.join(", ")}` };
}

function suspended({ observation }: Subject): Answer | undefined {
  if (!observation.environment.spec.suspend) return undefined;
  return { state: "Suspended", reason: "Suspended", message: "spec.suspend is true: destroying waits" };
}

function destroyOrWait(subject: Subject, record: ComponentRecord): Answer {
  const { observation, past, ending } = subject;
  const { environment, catalogue } = observation;
  const attempt = destroyBasisOf(record);
  if (attempt === undefined) {
    const message =
      "something may exist, and no archive says how to destroy it: declare and apply it once, or set deletionPolicy: Retain";
    return { state: "Stalled", reason: "ArchiveMissing", message };
  }
  const wanted = {
    ...attemptedNow(environment, digestOf({ destroy: attempt.desiredDigest })),
    ...(ending === "Asleep" ? triesOfThisTurn(environment.spec, observation.nowMs) : {}),
  };
  const wait = answerAfterFailure(past, wanted, environment.spec.retry, observation.nowMs);
  if (wait !== undefined) return inputsForDestroy(wait);
  const { engine } = attempt;
  const current = catalogue.find(({ name, version }) => name === engine.name && version === engine.version);
  const spec = attemptSpec(subject, wanted, {
    operation: "Destroy",
    inputsDigest: wanted.desiredDigest,
    engine: { ...engine, image: current?.image ?? engine.image },
    // Another try of what nobody has asked for is not asked for either.
    cause: ending === "Asleep" || lastFailure(past, wanted) === undefined ? { type: ending } : { type: "Retry" },
    inputs: { ...attempt.inputs, ...currentMeans(subject) },
    rules: rulesOf(subject),
  });
  return {
    state: "Destroying",
    reason: "Destroying",
    message: "its objects are destroyed",
    step: { type: "startRun", spec },
  };
}

/** Values are in the archive, so what a destroy misses are credentials: a person took them away, and has to bring them back. */
function inputsForDestroy(wait: Answer): Answer {
  const missing = wait.reason === "InputMissing" || wait.reason === "CredentialsMissing";
  return missing ? { ...wait, state: "Stalled", reason: "CredentialsMissing" } : wait;
}

/** Source and values come from the archive; the means of getting there are those that are declared now, while they are. */
function currentMeans({ observation, past }: Subject) {
  const { environment } = observation;
  const declared = declarationOf(observation, past.name);
  if (declared === undefined) return {};
  const { credentials, runner, timeouts } = inputsOf(environment, declared, undefined);
  return { credentials, runner, timeouts };
}
