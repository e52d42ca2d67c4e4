/** Applies exactly the plan that was judged, once, and tells truthfully what became of it. */

import { applyArguments } from "../../operator/engine/arguments.ts";
import { parseState, type StateEnvelope } from "../../operator/engine/state.ts";
import { EngineLost } from "../engine-client.ts";
import type { Bench } from "./bench.ts";
import { withFullDisk } from "./disk.ts";
import { failed, type Outcome } from "./ending.ts";
import { cut, engineFailure, hasFailed } from "./engine-failure.ts";
import type { CommandEnd, EngineSession } from "./engine-session.ts";
import { type Recovery, recoverErroredState } from "./errored-state.ts";
import { destroyedAllButForgotten } from "./forgotten.ts";
import { GatewayRefused } from "./gateway-client.ts";
import { planDigest } from "./plan-step.ts";

/** For saving the state after the engine was asked to stop. */
const applyGraceMs = 10 * 60_000;

export interface ApplyOrder {
  readonly digest: string;
  /** Where the plan is: as the engine left it, or as the store kept it. */
  readonly plan: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly ephemeralVariableFile: string | undefined;
}

export interface ApplyEnd {
  readonly outcome: Outcome;
  /** The state that is stored now. */
  readonly state: Buffer | undefined;
}

export async function applyPlan(bench: Bench, engine: EngineSession, order: ApplyOrder): Promise<ApplyEnd> {
  const { plan } = order;
  if ((await planDigest(bench, plan)) !== order.digest) {
    throw failed("PlanFailed", "the plan file was changed after it had been judged: nothing was applied");
  }
  const file = order.ephemeralVariableFile;
  const args = applyArguments({ plan, ...(file === undefined ? {} : { variableFile: file }) });
  return runApply(bench, engine, order.cwd, args, order.env);
}

/** After a restart of the agent: the launcher knows the command, and what is said here does not start anything. */
export async function rejoinApply(bench: Bench, engine: EngineSession, cwd: string): Promise<ApplyEnd> {
  return runApply(bench, engine, cwd, [], {});
}

async function runApply(
  bench: Bench,
  engine: EngineSession,
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<ApplyEnd> {
  const timeoutMs = bench.order.timeouts.applyMs;
  const end = await engine.run({ id: "apply", args, env, timeoutMs, graceMs: applyGraceMs }).catch((error: unknown) => {
    if (error instanceof EngineLost) return error;
    throw error;
  });
  await bench.relay.drained();
  const recovery = await recovered(bench, cwd);
  // The launcher has seen the engine's end: nobody writes under its lock any more.
  if (!(end instanceof EngineLost) && bench.relay.heldLock !== undefined)
    await bench.relay.unlock(bench.relay.heldLock);
  await bench.relay.drained();
  await bench.journal.flushed();
  const state = await bench.relay.read();
  const told = end instanceof EngineLost ? lost(end.message) : outcomeOf(bench, engine, end);
  const outcome = await withFullDisk(told, bench.layout.out);
  return judged(bench, outcome, state, recovery);
}

function outcomeOf(bench: Bench, engine: EngineSession, end: CommandEnd): Outcome {
  const { operation } = bench.order;
  const destroyed = operation === "Destroy" ? destroyedAllButForgotten(end) : undefined;
  if (destroyed !== undefined) return destroyed;
  if (hasFailed(end)) {
    const failure = engineFailure("Apply", end, { operation, terminating: engine.terminating });
    return brokeOff(bench, end) ? interrupted(failure) : failure;
  }
  return operation === "Destroy"
    ? { result: "Destroyed", reason: "Destroyed", message: "everything that the component made was destroyed" }
    : { result: "Applied", reason: "Applied", message: "the plan was applied" };
}

/**
 * An engine that fails in its own way hands over its state and ends with 1, also when it was asked to stop. One that is killed, panics (2 or 11)
 * or gets no memory (2) has told neither the state nor us what it was doing.
 */
function brokeOff({ journal }: Bench, { exit }: CommandEnd): boolean {
  // SIGTERM ends only an engine that does not listen to it yet, and begins nothing before.
  if (exit.signal === "SIGTERM" && journal.entries.length === 0) return false;
  return exit.startError === undefined && exit.code !== 0 && exit.code !== 1;
}

function interrupted(failure: Outcome): Outcome {
  const { retry: _retry, ...rest } = failure;
  const reason = failure.reason === "OutOfMemory" ? failure.reason : "Interrupted";
  return {
    ...rest,
    result: "Interrupted",
    reason,
    message: cut(`the engine broke off while it applied. ${failure.message}`),
  };
}

function lost(how: string): Outcome {
  return { result: "Interrupted", reason: "Interrupted", message: cut(`the apply was cut off: ${how}`) };
}

/** Nobody can say how far the engine came: what is stored, and the journal, is all there is. */
export async function lostApply(bench: Bench, cwd: string, how: string): Promise<ApplyEnd> {
  await bench.relay.drained();
  // What the engine left behind outlives its container.
  const recovery = await recovered(bench, cwd);
  await bench.journal.flushed();
  return judged(bench, lost(how), await stateIfTold(bench), recovery);
}

/** None where it is refused, as to a pod that was fenced meanwhile: an agent that is started again would hear the same. */
async function stateIfTold({ relay }: Bench): Promise<Buffer | undefined> {
  try {
    return await relay.read();
  } catch (error) {
    if (error instanceof GatewayRefused) return undefined;
    throw error;
  }
}

function recovered(bench: Bench, cwd: string): Promise<Recovery> {
  return recoverErroredState(cwd, {
    ...bench,
    out: bench.layout.out,
    say: (text) => bench.printer.say(text),
    onUnsaved: (isUnsaved) => bench.progress.unsaved("leftByEngine", isUnsaved),
  });
}

/** With the facts of the stored state. What it does not tell, the gateway finds in the journal. */
function judged(bench: Bench, given: Outcome, state: Buffer | undefined, recovery: Recovery): ApplyEnd {
  const envelope = state === undefined ? undefined : parseState(state.toString("utf8"));
  const outcome = withRecovery(withRemains(given, envelope), recovery, bench);
  const facts = envelope === undefined ? {} : { stateSerial: envelope.serial, resources: envelope.resourceCount };
  return { outcome: { ...outcome, ...facts }, state };
}

function withRemains(outcome: Outcome, state: StateEnvelope | undefined): Outcome {
  if (outcome.result !== "Destroyed" || state === undefined || state.resourceCount === 0) return outcome;
  const left = state.addresses.slice(0, 10).join(", ");
  const message = cut(`the destroy ended well, but ${state.resourceCount} resources are left in the state: ${left}`);
  return { result: "Failed", reason: "DestroyFailed", message, retry: "Backoff" };
}

function withRecovery(outcome: Outcome, recovery: Recovery, bench: Bench): Outcome {
  const refusal = bench.relay.refusal;
  if (recovery.end === "none" && refusal === undefined) return outcome;
  if (recovery.end === "stored")
    return { ...outcome, message: cut(`${outcome.message}\nThe state was saved afterwards.`) };
  const why = recovery.end === "none" ? (refusal?.message ?? "") : recovery.why;
  const { retry: _retry, ...rest } = outcome;
  const message = cut(`the state could not be stored (${why}) and is kept as a recovery copy. ${outcome.message}`);
  // An apply that was cut off stays so: after the restore, too, a person is to see what is done next.
  const result = outcome.result === "Interrupted" ? "Interrupted" : "Failed";
  return { ...rest, result, reason: "StateUnsaved", message, retry: "Never" };
}
