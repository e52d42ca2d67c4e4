import type { Environment } from "../api/environment.ts";
import { ANNOTATIONS } from "../api/names.ts";
import { isClosed, type Run } from "../api/run.ts";
import { overriddenText } from "../run/outside-windows.ts";
import type { StateKey } from "../storage/record.ts";
import { wasCancelled } from "./attempts.ts";
import type { Decision } from "./decide.ts";
import { surplusRuns } from "./history.ts";
import type { EnvironmentPorts } from "./ports.ts";
import { confirmationsOf } from "./removal.ts";
import { runName } from "./run-name.ts";
import type { Verdict } from "./verdict.ts";

/** What came of a decision: what it says now about each component, and what went wrong on the way. */
export interface Acted {
  readonly decision: Decision;
  readonly errors: readonly unknown[];
}

/** Carries a decision out. Every action is safe to repeat, and a failure of one is told in its verdict and leaves the others alone. */
export async function act(
  environment: Environment,
  decision: Decision,
  ports: EnvironmentPorts,
  signal: AbortSignal,
): Promise<Acted> {
  switch (decision.type) {
    case "mark":
      await ports.setFinalizer(environment, true, signal);
      return { decision, errors: [] };
    case "letGo":
      ports.stopFollowing(environment.metadata.namespace, environment.metadata.name);
      await ports.setFinalizer(environment, false, signal);
      return { decision, errors: [] };
    case "expire":
    case "converge":
    case "dismantle":
      return carryOut(environment, decision, ports, signal);
  }
}

type WithVerdicts = Extract<Decision, { readonly verdicts: readonly Verdict[] }>;

/** What is refused keeps nothing else waiting, and is tried again in the next round. */
async function carryOut(
  environment: Environment,
  decision: WithVerdicts,
  ports: EnvironmentPorts,
  signal: AbortSignal,
): Promise<Acted> {
  const { verdicts: decided, overrideSpent = false } = decision;
  // Before a state moves: it takes them along.
  const unnoted = await noteRules(environment, decision, ports, signal);
  const unwithdrawn = await errorsOf(() => withdrawConfirmations(environment, decided, ports, signal), signal);
  const others = [
    ...(overrideSpent ? await errorsOf(() => ports.withdrawOverride(environment, signal), signal) : []),
    ...(await errorsOf(() => withdrawCancel(environment, ports, signal), signal)),
  ];
  const taken = await takeSteps(environment, decided, unwithdrawn, ports, signal);
  const acted = { ...decision, verdicts: taken.verdicts };
  const errors = [...unnoted, ...unwithdrawn, ...others, ...taken.errors];
  if (acted.type !== "expire" || !acted.deletesObject) return { decision: acted, errors };
  const refusals = await errorsOf(() => ports.deleteEnvironment(environment, signal), signal);
  const [refusal] = refusals;
  const told = refusal === undefined ? acted : { ...acted, deletionRefused: textOf(refusal) };
  return { decision: told, errors: [...errors, ...refusals] };
}

/** Each for itself, so that one record that cannot be written keeps no other waiting. Answers what went wrong. */
async function noteRules(
  { metadata }: Environment,
  { rulesToNote = [] }: WithVerdicts,
  ports: EnvironmentPorts,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const errors: unknown[] = [];
  for (const { key, rules } of rulesToNote)
    errors.push(...(await errorsOf(() => ports.noteRules(key, metadata.uid, rules, signal), signal)));
  return errors;
}

/** The verdicts as they are after it: what was refused is told in them. `unwithdrawn`: why confirmations could not be withdrawn. */
async function takeSteps(
  environment: Environment,
  decided: readonly Verdict[],
  unwithdrawn: readonly unknown[],
  ports: EnvironmentPorts,
  signal: AbortSignal,
): Promise<{ readonly verdicts: readonly Verdict[]; readonly errors: readonly unknown[] }> {
  const errors: unknown[] = [];
  const verdicts: Verdict[] = [];
  for (const verdict of decided) {
    try {
      // Once it is forgotten, nobody would know that its confirmation is used up.
      if (unwithdrawn.length > 0 && isConfirmedToGo(environment, verdict)) throw unwithdrawn[0];
      await takeStep(environment, verdict, ports, signal);
      verdicts.push(verdict);
    } catch (error) {
      signal.throwIfAborted();
      errors.push(error);
      verdicts.push(isCheck(verdict) ? verdict : refused(verdict, error));
      continue;
    }
    // What cannot be deleted says nothing about the component: it stays where it stands.
    errors.push(...(await errorsOf(() => pruneHistory(environment, verdict, ports, signal), signal)));
  }
  return { verdicts, errors };
}

/** Does something that nothing else has to wait for. Answers what went wrong. */
async function errorsOf(action: () => Promise<void>, signal: AbortSignal): Promise<readonly unknown[]> {
  try {
    await action();
    return [];
  } catch (error) {
    signal.throwIfAborted();
    return [error];
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const isConfirmedToGo = (environment: Environment, { name, step }: Verdict): boolean =>
  step.type === "forgetState" && confirmationsOf(environment).includes(name);

/**
 * A confirmation is for one removal: whoever declares the component again, be it before its destroy has ended, and removes it again is asked
 * again.
 */
async function withdrawConfirmations(
  environment: Environment,
  verdicts: readonly Verdict[],
  ports: EnvironmentPorts,
  signal: AbortSignal,
): Promise<void> {
  const declared = environment.spec.components.map(({ name }) => name);
  const gone = verdicts.filter(({ step }) => step.type === "forgetState").map(({ name }) => name);
  const spent = new Set([...declared, ...gone]);
  const confirmed = confirmationsOf(environment);
  const left = confirmed.filter((name) => !spent.has(name));
  if (left.length < confirmed.length) await ports.setConfirmations(environment, left, signal);
}

/** What only looks makes nothing worse when it cannot begin. */
const isCheck = ({ step }: Verdict): boolean => step.type === "startRun" && step.spec.operation === "Check";

/** A wish to cancel is for one Run: once that has ended, or where there is none of that name, it is done with. */
async function withdrawCancel(environment: Environment, ports: EnvironmentPorts, signal: AbortSignal): Promise<void> {
  const name = environment.metadata.annotations?.[ANNOTATIONS.cancel];
  if (name === undefined) return;
  const run = ports.runsOf(environment).find(({ metadata }) => metadata.name === name);
  if (run !== undefined && !isClosed(run)) return;
  await ports.withdrawCancel(environment, name, signal);
  if (run === undefined || !wasCancelled(run))
    ports.event(
      environment,
      "Warning",
      "NotCancelled",
      `Run ${name} ${run === undefined ? "does not exist" : "had ended"}`,
    );
}

/** Kubernetes' words. Nothing changes that any more, and only who knows of deletionPolicy finds a way out. */
const NAMESPACE_ENDS = /because it is being terminated/;

function refused(verdict: Verdict, error: unknown): Verdict {
  const quoted = textOf(error);
  const message = NAMESPACE_ENDS.test(quoted)
    ? "the namespace is being deleted, so nothing can run in it: deletionPolicy: Retain keeps what exists, and its state, and lets the Environment go"
    : quoted;
  return { ...verdict, state: "Failed", reason: "StepRefused", message, satisfied: false, wakeAtMs: 0 };
}

async function takeStep(
  environment: Environment,
  { name, step }: Verdict,
  ports: EnvironmentPorts,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name: environmentName, uid } = environment.metadata;
  const key: StateKey = { namespace, environment: environmentName, component: name };
  switch (step.type) {
    case "none":
      return;
    case "startRun":
      await ports.createRun(environment, runName(step.spec), step.spec, signal);
      if (step.outsideWindows !== undefined) {
        const text = `${name}: Run ${step.spec.number} begins ${overriddenText(step.outsideWindows)}`;
        ports.event(environment, "Warning", "WindowOverridden", text);
      }
      return;
    case "supersede":
      return ports.supersedeRun(step.run, step.why, signal);
    case "renameState":
      return ports.renameState({ ...key, component: step.from }, { ...key, component: step.to }, signal);
    case "releaseState":
      return ports.releaseState(key, uid, signal);
    case "forgetState":
      return ports.forgetState(key, uid, signal);
  }
}

async function pruneHistory(
  environment: Environment,
  verdict: Verdict,
  ports: EnvironmentPorts,
  signal: AbortSignal,
): Promise<void> {
  for (const run of surplusOf(environment, verdict, ports.now())) await ports.deleteRun(run, signal);
}

/** Runs of one component that need not be kept any more. */
function surplusOf({ spec }: Environment, { past }: Verdict, now: Date): readonly Run[] {
  return [...surplusRuns(past, spec.history, now), ...surplusChecks(past)];
}

/** The newest stays, which says when somebody looked last, and the one that found what is recorded. */
function surplusChecks({ checks, record }: Verdict["past"]): readonly Run[] {
  const [, ...older] = checks.filter(isClosed);
  return older.filter(({ metadata }) => metadata.name !== record?.drift?.run);
}
