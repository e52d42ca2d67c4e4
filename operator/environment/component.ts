import type { Component } from "../api/component.ts";
import { ANNOTATIONS } from "../api/names.ts";
import type { Cause, Run, RunInputs } from "../api/run.ts";
import type { Source } from "../api/source.ts";
import type { GitReason } from "../source/git-error.ts";
import { isWhole } from "../storage/record.ts";
import { attemptedNow, attemptSpec } from "./attempt-spec.ts";
import { type Attempted, answerAfterFailure, lastFailure, triesOfThisTurn, wasCancelled } from "./attempts.ts";
import { builtOn } from "./built-on.ts";
import { causeOf, endText, type Intended } from "./cause.ts";
import { corrected, isComingCorrection, whyNotCorrected } from "./correction.ts";
import { type CatalogueEngine, chooseEngine, inputsOf, sourceOf } from "./desired.ts";
import { desiredDigestOf, inputsDigestOf } from "./digest.ts";
import { watched } from "./drift.ts";
import { moveFromFormerName, unfinishedMove } from "./moving.ts";
import { type ComponentPast, type ComponentSeen, type Observation, pastOf, type RevisionSeen } from "./observation.ts";
import { missingOutput } from "./offered-outputs.ts";
import { answerForOpenRun, stuckReason } from "./open-run.ts";
import { recordTrouble } from "./record-trouble.ts";
import { cutOffOf, cutOffToShow, recoveryCause } from "./recovery.ts";
import { rulesOfRun } from "./rules-of-run.ts";
import { blocked, outputDigests, type Subject } from "./subject.ts";
import { type Answer, type Verdict, verdictOf } from "./verdict.ts";
import { voidOrWaiting } from "./waiting-component.ts";
import { supersede, waitingRun } from "./waiting-run.ts";
import { contentOf, withKeptCommits } from "./watch.ts";

/** Where does a declared component stand, and what is its next step? */
export function decideComponent(
  observation: Observation,
  component: Component,
  needs: ReadonlyMap<string, Verdict>,
): Verdict {
  const past = pastOf(observation, component.name);
  const seen = withKeptCommits(observation, component, past);
  const subject: Subject = { observation: seen, newestOf: observation.revisionOf, component, past, needs };
  return verdictOf(past, firstAnswer(subject));
}

function firstAnswer(subject: Subject): Answer {
  const { observation, past } = subject;
  const moving = unfinishedMove(subject) ?? moveFromFormerName(subject, subject.component);
  if (moving !== undefined) return moving;
  const waiting = waitingRun(past);
  if (past.open !== undefined && waiting === undefined && !isInTheBackground(past.open))
    return answerForOpenRun(past.open);
  // What is wrong with the stored state comes first: a loss that nobody tells any more is none in a deletion.
  // A correction that waits must not hide any: its component counts as applied.
  const mayBeTold = waiting === undefined || isComingCorrection(waiting);
  const trouble = mayBeTold ? recordTrouble(subject) : undefined;
  if (trouble !== undefined) return trouble;
  const choice = chooseEngine(observation.environment.spec.engine, observation.catalogue);
  if (!choice.found) return { state: "Stalled", reason: "EngineUnknown", message: choice.message };
  if (waiting !== undefined) return voidOrWaiting(subject, choice.engine, waiting);
  return (
    blocked(subject) ?? missingOutput(subject.component, subject.needs) ?? answerForDesired(subject, choice.engine)
  );
}

/** Nobody has to know of a correction before it changes anything, unless it needs a person. */
const isInTheBackground = (run: Run): boolean => isComingCorrection(run) && stuckReason(run) === undefined;

/** The value of the annotation that asks for a Run, while no Run has answered it. */
function pendingRequest({ observation, past }: ComponentSeen): string | undefined {
  const asked = observation.environment.metadata.annotations?.[ANNOTATIONS.requestedAt];
  return asked === undefined || isAnswered(past, asked) ? undefined : asked;
}

/**
 * A Run that failed has not answered: it is tried again. What is applied has, whatever fails later; and what was asked for before an apply was
 * cut off, or a Run cancelled, is answered, too: only another value counts.
 */
function isAnswered(past: ComponentPast, asked: string): boolean {
  const { runs, record } = past;
  if (record?.applied?.request === asked || cutOffOf(past)?.request === asked) return true;
  return runs.find(hasAnswered)?.spec.request === asked;
}

function hasAnswered(run: Run): boolean {
  const { phase } = run.status ?? {};
  return phase === "Succeeded" || phase === "Interrupted" || wasCancelled(run);
}

/** A revision that a Run would use: a commit, none because the runner looks it up, or an answer that stands in the way. */
type Revision = { readonly use: string | undefined } | { readonly answer: Answer };

function revisionFor(source: Source, seen: RevisionSeen, nowMs: number): Revision {
  // It is looked up again by itself, and whatever comes of it brings another round.
  const wakeAtMs = nowMs + LOOKED_UP_WITHIN_MS;
  switch (seen.state) {
    case "known":
      return { use: seen.revision };
    case "unfollowed":
      return { use: undefined };
    case "pending":
      return { answer: { state: "Pending", reason: "SourceResolving", message: "the git ref is being looked up" } };
    case "failed":
      if (isLoginRefused(source, seen)) return { use: undefined };
      return { answer: { state: "Failed", reason: seen.reason, message: seen.message, wakeAtMs } };
  }
}

const LOOKED_UP_WITHIN_MS = 5 * 60_000;

/** The credentials that the resolver was lent may have been replaced: only a runner can read the new ones. Some servers show a stranger nothing. */
const isLoginRefused = ({ git }: Source, seen: RevisionSeen): boolean =>
  git?.secretRef !== undefined && seen.state === "failed" && LOGIN_REFUSED.includes(seen.reason);

const LOGIN_REFUSED: readonly string[] = ["GitUnauthorized", "GitRepositoryNotFound"] satisfies readonly GitReason[];

function answerForDesired(subject: Subject, engine: CatalogueEngine): Answer {
  const { observation, component, past } = subject;
  const { environment } = observation;
  const source = sourceOf(environment.spec, component);
  const seen = observation.revisionOf(source);
  const inputs = inputsOf(environment, component, undefined);
  const inputsDigest = inputsDigestOf(engine, inputs, outputDigests(subject));
  const applied = isOwn(subject) ? past.record?.applied : undefined;
  const request = pendingRequest(subject);
  // While the ref's newest commit is not known, what is applied counts as current.
  const assumed = seen.state === "known" ? seen.revision : applied?.revision;
  const isThere = past.record === undefined || isWhole(past.record);
  if (isThere && request === undefined && applied?.desiredDigest === desiredDigestOf(inputsDigest, assumed)) {
    const ready = upToDate(subject, seen);
    if (past.open !== undefined) return correctedStill(subject, past.open, ready);
    const as = { component, engine, inputs, inputsDigest, revision: assumed, ...builtOn(subject.needs) };
    return corrected(subject, as, watched(subject, component, applied, ready));
  }
  if (past.open !== undefined) return answerForOpenRun(past.open);
  if (environment.spec.suspend) {
    return { state: "Suspended", reason: "Suspended", message: "spec.suspend is true: the change waits" };
  }
  // What is fetched is the newest commit: one that was left behind may be gone from the repository.
  const newest = subject.newestOf(source);
  const revision = revisionFor(source, newest, observation.nowMs);
  if ("answer" in revision) return revision.answer;
  const content = contentOf(newest, source, component);
  return tryOrWait(subject, engine, { inputs, inputsDigest, revision: revision.use, content, assumed, request });
}

/** What another owner applied was never looked at by this Environment: its first Run adopts the state. */
function isOwn({ observation, past }: Subject): boolean {
  const { owner, ownership } = past.record ?? {};
  return owner?.environmentUid === observation.environment.metadata.uid && ownership === "Owned";
}

/** Its correction is under way, and may not be wanted any more. What is declared is applied, whatever becomes of it. */
function correctedStill({ observation, component, past }: Subject, correction: Run, ready: Answer): Answer {
  const why = whyNotCorrected(observation.environment, component, past);
  return why === undefined ? ready : { ...supersede(correction, why), satisfied: true };
}

function upToDate({ observation, component, past }: Subject, seen: RevisionSeen): Answer {
  const ready = { state: "Ready", satisfied: true } as const;
  if (seen.state === "failed") {
    const { environment } = observation;
    // What to do comes first: the status cuts long messages.
    const advice = isLoginRefused(sourceOf(environment.spec, component), seen)
      ? `once its Secret is right, kubectl terrarium run ${environment.metadata.name}: only a Run reads that; `
      : "";
    const message = `${advice}what was applied stays applied; ${seen.message}`.slice(0, 1000);
    return { ...ready, reason: seen.reason, message };
  }
  const unchanged = past.latest?.status?.outcome?.result === "Unchanged";
  return { ...ready, reason: unchanged ? "Unchanged" : "Applied", message: "" };
}

interface Desired {
  readonly inputs: RunInputs;
  readonly inputsDigest: string;
  readonly revision: string | undefined;
  readonly content: string | undefined;
  /** The commit that the newest one amounts to for this component. */
  readonly assumed: string | undefined;
  readonly request: string | undefined;
}

function tryOrWait(subject: Subject, engine: CatalogueEngine, desired: Desired): Answer {
  const { observation, component, past } = subject;
  const { environment } = observation;
  const { inputs, inputsDigest, revision, content } = desired;
  const wanted = {
    ...attemptedNow(environment, desiredDigestOf(inputsDigest, revision)),
    ...(component.sleep === undefined ? {} : triesOfThisTurn(environment.spec, observation.nowMs)),
    ...(content === undefined ? {} : { apartFromCommit: { inputsDigest, content } }),
  };
  const wait = answerAfterFailure(past, wanted, environment.spec.retry, observation.nowMs);
  if (wait !== undefined) return wait;
  const cutOff = cutOffToShow(past, desired.request);
  const cause =
    cutOff === undefined ? causeOfTry(past, wanted, { ...desired, engine }) : recoveryCause(cutOff, subject);
  const spec = attemptSpec(subject, wanted, {
    operation: "Apply",
    inputsDigest,
    engine: { name: engine.name, version: engine.version, image: engine.image },
    cause,
    inputs: {
      ...inputs,
      ...(revision === undefined ? {} : { revision }),
      ...(content === undefined ? {} : { content }),
    },
    ...builtOn(subject.needs),
    rules: rulesOfRun(cause.type, environment, component, past),
  });
  const step = { type: "startRun", spec } as const;
  if (cutOff !== undefined) {
    const message = `${spec.cause.detail}; Run ${spec.number} plans what is left to do, for a person to approve`;
    return { state: "Interrupted", reason: "Recovering", message, step };
  }
  return { state: "Pending", reason: "Pending", message: `Run ${spec.number} starts`, step };
}

function causeOfTry(past: ComponentPast, wanted: Attempted, desired: Desired & Pick<Intended, "engine">): Cause {
  if (lastFailure(past, wanted) !== undefined) return { type: "Retry", detail: endText(past.latest) };
  return causeOf(past, { ...desired, revision: desired.assumed });
}
