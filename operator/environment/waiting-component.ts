import type { Run } from "../api/run.ts";
import { replacingWrite, writingText } from "../storage/record.ts";
import { attemptedNow } from "./attempt-spec.ts";
import { whyBuiltOnOther } from "./built-on.ts";
import { isComingCorrection, whyNotCorrected } from "./correction.ts";
import { type CatalogueEngine, inputsOf, sourceOf } from "./desired.ts";
import { inputsDigestOf } from "./digest.ts";
import { answerForOpenRun } from "./open-run.ts";
import { rulesOfRun } from "./rules-of-run.ts";
import { blocked, outputDigests, type Subject } from "./subject.ts";
import type { Answer } from "./verdict.ts";
import { supersede, whyOfAnotherState, whySuperseded } from "./waiting-run.ts";

/**
 * A plan waits for people. Whatever it was made for may have changed since, and makes it void. While something that it needs is being changed,
 * it is not applied, whatever people say.
 */
export function voidOrWaiting(subject: Subject, engine: CatalogueEngine, run: Run): Answer {
  const reason = whyNotWanted(subject, engine, run);
  if (reason !== undefined) return supersede(run, reason);
  const heldBack = blocked(subject)?.message;
  const waiting = {
    ...withWritingTold(answerForOpenRun(run), subject),
    ...(heldBack === undefined ? {} : { heldBack }),
  };
  // What was applied is still what is declared: nobody has to wait for a correction that waits itself.
  return isComingCorrection(run) ? { ...waiting, satisfied: true } : waiting;
}

/** Where no rule asks anybody, people have to be told why they are asked. */
function withWritingTold(answer: Answer, { past }: Subject): Answer {
  const replaced = replacingWrite(past.record);
  return replaced === undefined ? answer : { ...answer, message: `${answer.message}; ${writingText(replaced)}` };
}

/**
 * Of outputs, and of a ref that cannot be looked up, it is not known what the plan would be made for now while the component that it uses is
 * being changed, or the server is away.
 */
function whyNotWanted(subject: Subject, engine: CatalogueEngine, run: Run): string | undefined {
  const { component, observation, needs, past } = subject;
  const { environment } = observation;
  const seen = observation.revisionOf(sourceOf(environment.spec, component));
  const inputs = inputsOf(environment, component, seen.state === "known" ? seen.revision : undefined);
  const apartFromOutputs = inputsDigestOf(engine, inputs, {});
  const isAsItWas = inputsDigestOf(run.spec.engine, run.spec.inputs, {}) === apartFromOutputs;
  const unsettled = blocked(subject) !== undefined && isAsItWas;
  const inputsDigest = unsettled ? run.spec.inputsDigest : inputsDigestOf(engine, inputs, outputDigests(subject));
  const { request } = attemptedNow(environment, "");
  const isCorrection = isComingCorrection(run);
  const rules = rulesOfRun(run.spec.cause.type, environment, component, past);
  const wanted = {
    operation: "Apply",
    inputsDigest,
    inputs,
    engine,
    rules,
    ...(request === undefined ? {} : { request }),
  } as const;
  return (
    whyOfAnotherState(past, run) ??
    whySuperseded(run, wanted) ??
    (isCorrection ? whyNotCorrected(environment, component, past) : undefined) ??
    whyBuiltOnOther(run, needs)
  );
}
