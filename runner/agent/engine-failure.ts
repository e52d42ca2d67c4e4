/** An engine's failure in the words of a Run: the reason, a message for a person, the first ten errors. */
import type { Reason } from "../../operator/api/conditions.ts";
import type { Operation } from "../../operator/api/run.ts";
import { cutBytes, type Diagnostic, errorsOf } from "../../operator/engine/diagnostics.ts";
import { explainFailure, type FailureReason, type Phase } from "../../operator/engine/failure.ts";
import type { Outcome } from "./ending.ts";
import type { CommandEnd } from "./engine-session.ts";

/** Characters of a message; the schema allows 1024. */
const messageLimit = 1_000;

export interface FailureContext {
  readonly operation: Operation;
  /** The pod was told to end while the command ran. */
  readonly terminating: boolean;
}

export function hasFailed({ exit }: CommandEnd): boolean {
  return exit.code !== 0 || exit.signal !== null || exit.startError !== undefined;
}

export function engineFailure(phase: Phase, end: CommandEnd, context: FailureContext): Outcome {
  const failure = explainFailure(phase, exitFacts(end), end.diagnostics, end.lastLines);
  const decided = failure.reason === "OutOfMemory" || failure.reason === "TimedOut";
  const told = context.terminating && !decided;
  return {
    result: "Failed",
    reason: told ? lostReason(phase, context) : reasonFor(failure.reason, phase, context, end.diagnostics),
    message: cut(told ? `${lostMessage(phase)}\n${failure.message}` : failure.message),
    retry: "Backoff",
    ...withDiagnostics(end.diagnostics),
  };
}

export function cut(message: string): string {
  return cutBytes(message, messageLimit);
}

/** The first ten errors, those of single resources first. */
export function withDiagnostics(found: readonly Diagnostic[]): Pick<Outcome, "diagnostics"> {
  const errors = errorsOf(found);
  const sorted = [...errors.filter(({ address }) => address), ...errors.filter(({ address }) => !address)];
  const diagnostics = sorted.slice(0, 10).map(({ address, summary, detail, file, line }) => ({
    ...(address === undefined ? {} : { address: cutBytes(address, 250) }),
    summary: cutBytes(detail.trim() === "" ? summary : `${summary}: ${detail.trim().replace(/\s+/g, " ")}`, 500),
    ...(file === undefined ? {} : { file: cutBytes(file, 250) }),
    ...(line === undefined ? {} : { line }),
  }));
  return diagnostics.length === 0 ? {} : { diagnostics };
}

function exitFacts({ exit }: CommandEnd) {
  const { code, signal, timedOut, outOfMemory, startError } = exit;
  return {
    code,
    signal,
    timedOut,
    ...(outOfMemory === undefined ? {} : { outOfMemory }),
    ...(startError === undefined ? {} : { startError }),
  };
}

/** Before the apply every reason is told as it is; in the apply it matters most that something may have been made. */
function reasonFor(
  reason: FailureReason,
  phase: Phase,
  { operation }: FailureContext,
  diagnostics: readonly Diagnostic[],
): Reason {
  if (reason === "OutOfMemory" || reason === "TimedOut" || reason === "StateLocked") return reason;
  if (phase === "Apply") return operation === "Destroy" ? "DestroyFailed" : "ApplyFailed";
  switch (reason) {
    case "VariableMissing":
    case "ModuleNotFound":
    case "ProviderNotFound":
    case "RegistryUnreachable":
      return reason;
    case "ConfigurationInvalid":
      return errorsOf(diagnostics).every(isAboutVariable) ? "VariableInvalid" : reason;
    case "Terminated":
      return "RunnerLost";
    case "StateWriteFailed":
    case "StateUnavailable":
      return "InternalError";
    default:
      return "PlanFailed";
  }
}

function isAboutVariable({ summary }: Diagnostic): boolean {
  return /^invalid value for (input )?variable/i.test(summary);
}

function lostReason(phase: Phase, { operation }: FailureContext): Reason {
  if (phase !== "Apply") return "RunnerLost";
  return operation === "Destroy" ? "DestroyFailed" : "ApplyFailed";
}

function lostMessage(phase: Phase): string {
  return phase === "Apply"
    ? "the pod was told to end while it applied (drain, eviction or deletion); the engine stopped and saved its state"
    : "the pod was told to end (drain, eviction or deletion) before anything was applied";
}
