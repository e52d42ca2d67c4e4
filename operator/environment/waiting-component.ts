import type { Run } from "../api/run.ts";
import { replacingWrite, writingText } from "../storage/record.ts";
import { attemptedNow } from "./attempt-spec.ts";
import { whyBuiltOnOther } from "./built-on.ts";
import { isComingCorrection, whyNotCorrected } from "./correction.ts";
import { type CatalogueEngine, inputsOf, sourceOf } from "./desired.ts";
import { inputsDigestOf } from "./digest.ts";
import { answerForOpenRun, stuckReason } from "./open-run.ts";
import { rulesOfRun, whyNotByRules } from "./rules-of-run.ts";
import { blocked, outputDigests, type Subject } from "./subject.ts";
import type { Answer } from "./verdict.ts";
import { supersede, whyOfAnotherState, whySuperseded } from "./waiting-run.ts";

/**
 * A plan waits for people. Whatever it was made for may have changed since, and makes it void. While something that it needs is being changed,
 * it is not applied, whatever people say.
 */
export function voidOrWaiting(subject: Subject, engine: CatalogueEngine, run: Run): Answer {
  const heldBack = blocked(subject)?.message;
  // What was applied is still what is declared: nobody has to wait for a correction that waits itself, or is not wanted any more. Whether that
  // holds is not known while something that it needs is being changed.
  const asDeclared = isComingCorrection(run) && heldBack === undefined ? { satisfied: true } : {};
  const other = whyNotAsDeclared(subject, engine, run);
  if (other !== undefined) return supersede(run, other);
  const late = whyOvertaken(subject, run);
  if (late !== undefined) return { ...supersede(run, late), ...asDeclared };
  return {
    ...withWritingTold(answerForOpenRun(run), subject),
    ...(heldBack === undefined ? {} : { heldBack }),
    // One that is stuck is shown as itself, whatever it is for.
    ...(stuckReason(run) === undefined ? asDeclared : {}),
  };
}

/** Where no rule asks anybody, people have to be told why they are asked. */
function withWritingTold(answer: Answer, { past }: Subject): Answer {
  const replaced = replacingWrite(past.record);
  return replaced === undefined ? answer : { ...answer, message: `${answer.message}; ${writingText(replaced)}` };
}

/**
 * The plan was made for something else than what is declared now. Of outputs, and of a ref that cannot be looked up, it is not known what it would be
 * made for while the component that it uses is being changed, or the server is away.
 */
function whyNotAsDeclared(subject: Subject, engine: CatalogueEngine, run: Run): string | undefined {
  const { component, observation, past } = subject;
  const { environment } = observation;
  const inputs = inputsOf(environment, component, commitWantedFor(subject, run));
  const apartFromOutputs = inputsDigestOf(engine, inputs, {});
  const isAsItWas = inputsDigestOf(run.spec.engine, run.spec.inputs, {}) === apartFromOutputs;
  const unsettled = blocked(subject) !== undefined && isAsItWas;
  const inputsDigest = unsettled ? run.spec.inputsDigest : inputsDigestOf(engine, inputs, outputDigests(subject));
  const { request } = attemptedNow(environment, "");
  const wanted = {
    operation: "Apply",
    inputsDigest,
    inputs,
    engine,
    ...(request === undefined ? {} : { request }),
  } as const;
  return whyOfAnotherState(past, run) ?? whySuperseded(run, wanted);
}

/** The plan is for what is declared, and the rules for it, or the world that it was made in, are others by now. */
function whyOvertaken({ component, observation, needs, past }: Subject, run: Run): string | undefined {
  const { environment } = observation;
  const uncorrected = isComingCorrection(run) ? whyNotCorrected(environment, component, past) : undefined;
  const byRules = whyNotByRules(run, rulesOfRun(run.spec.cause.type, environment, component, past));
  return uncorrected ?? byRules ?? whyBuiltOnOther(run, needs);
}

/** The commit that the plan would be made of now. What its own pod has looked up is kept as it is: nobody knows what that holds for the component. */
function commitWantedFor({ component, observation, newestOf }: Subject, { spec, status }: Run): string | undefined {
  const source = sourceOf(observation.environment.spec, component);
  const [kept, newest] = [observation.revisionOf(source), newestOf(source)];
  if (kept.state !== "known" || newest.state !== "known") return undefined;
  return spec.inputs.revision === undefined && status?.plan?.revision === newest.revision
    ? newest.revision
    : kept.revision;
}
