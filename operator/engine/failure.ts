/** Why a command of an engine failed: one reason, whose matter it is, and whether another try can help. */
import { type Diagnostic, describeErrors, errorsOf } from "./diagnostics.ts";

export type Phase = "Init" | "Plan" | "Show" | "Apply";

export type FailureReason =
  | "OutOfMemory"
  | "TimedOut"
  | "Terminated"
  | "StateWriteFailed"
  | "StateLocked"
  | "StateUnavailable"
  | "PlanStale"
  | "VariableMissing"
  | "ConfigurationInvalid"
  | "ModuleNotFound"
  | "ProviderNotFound"
  | "RegistryUnreachable"
  | "ProviderFailed"
  | "ApplyFailed"
  | "Unknown";

/** *yours*: the spec or module. *theirs*: a cloud, a registry, the cluster. *ours*: a fault of this project. */
export type FailureClass = "yours" | "theirs" | "ours";

export interface Failure {
  readonly reason: FailureReason;
  readonly class: FailureClass;
  /** Another try, with nothing changed, may succeed. An interrupted apply is still never repeated by itself. */
  readonly retry: boolean;
  readonly message: string;
}

/** How the command ended, as the launcher reports it. */
export interface EngineEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly outOfMemory?: boolean | undefined;
  readonly startError?: string | undefined;
}

/** In order of importance: where errors disagree, the first of these is the reason. */
const verdicts: Readonly<Record<FailureReason, { readonly class: FailureClass; readonly retry: boolean }>> = {
  OutOfMemory: { class: "yours", retry: false },
  StateWriteFailed: { class: "ours", retry: true },
  TimedOut: { class: "theirs", retry: true },
  Terminated: { class: "theirs", retry: true },
  StateLocked: { class: "theirs", retry: true },
  StateUnavailable: { class: "ours", retry: true },
  PlanStale: { class: "theirs", retry: true },
  VariableMissing: { class: "yours", retry: false },
  ConfigurationInvalid: { class: "yours", retry: false },
  ModuleNotFound: { class: "yours", retry: true },
  ProviderNotFound: { class: "yours", retry: true },
  RegistryUnreachable: { class: "theirs", retry: true },
  ProviderFailed: { class: "theirs", retry: true },
  ApplyFailed: { class: "theirs", retry: true },
  Unknown: { class: "ours", retry: true },
};

const network =
  /no such host|could not resolve host|connection (refused|reset)|failed to connect|could ?n[o']t connect|unable to connect|could not connect|network is unreachable|no route to host|timeout|timed out|deadline exceeded|tls handshake|x509|certificate|unexpected EOF|returned error: 5\d\d|50[0234] |temporary failure|failed to request discovery/i;

/** Summaries are the engines' own sentences; both share nearly all of them. */
const known: readonly (readonly [FailureReason, RegExp])[] = [
  ["OutOfMemory", /runtime: out of memory|cannot allocate memory/i],
  ["StateLocked", /acquiring the state lock|state is already locked/i],
  [
    "StateWriteFailed",
    /(failed to|error) (save|saving|persist|persisting|upload|uploading) .*state|failed to persist state/i,
  ],
  [
    "StateUnavailable",
    /error (loading|refreshing|reading) (the )?(prior )?state\b|failed to (load|refresh|read|get) (the )?(prior )?state|state data in|releasing the state lock/i,
  ],
  [
    "PlanStale",
    /saved plan is stale|saved plan does not match|can't change variable when applying|inconsistent dependency lock file.*plan/i,
  ],
  ["VariableMissing", /no value for required variable/i],
];

const moduleSummary =
  /module not found|unreadable module|failed to (download|install|read) module|error (downloading|accessing) .*module|module registry|unresolvable module version|module version|retrieve available versions|invalid module source|local module/i;
const providerSummary =
  /query available provider|install provider|provider registry|required plugins|incompatible provider|inconsistent dependency lock|provider (package|dependency)|invalid provider registry|unsuitable provider|missing resource provider|provider not (available|found)/i;
const configurationSummary =
  /^(invalid|unsupported|missing|duplicate|unclosed|unterminated|undeclared|unexpected|incorrect|inconsistent conditional|reference to|call to|self-referenc|cycle|argument|attribute|unrecognized|extra|variables? not allowed|module (is|has|not)|no (configuration|declaration)|not enough|too many|ambiguous|failed to (read|load) (file|variables|module)|value for undeclared|error in function|function call|operation failed|output refers|backend|experiment|newline|quoted|reserved|unknown (token|variable|function)|sensitive|the given|resource (precondition|postcondition)|check block|condition|deprecated|provider configuration|terraform encountered|opentofu encountered|terraform has no|conflicting|required|unable to parse|cannot use|unconfigurable|self reference|import|moved|ephemeral)/i;

export function explainFailure(
  phase: Phase,
  end: EngineEnd,
  diagnostics: readonly Diagnostic[],
  lastLines: readonly string[] = [],
): Failure {
  const errors = errorsOf(diagnostics);
  const found = new Set<FailureReason>(errors.map((error) => reasonOf(phase, error)));
  const ending = reasonOfEnd(end);
  if (ending !== undefined) found.add(ending);
  if (found.size === 0) found.add(reasonOfText(lastLines));
  const reasons = Object.keys(verdicts) as FailureReason[];
  const reason = reasons.find((one) => found.has(one)) ?? "Unknown";
  const { class: whose, retry } = verdicts[reason];
  return { reason, class: whose, retry, message: messageOf(reason, phase, end, diagnostics, lastLines) };
}

function reasonOfEnd({ timedOut, signal, outOfMemory }: EngineEnd): FailureReason | undefined {
  if (outOfMemory === true) return "OutOfMemory";
  if (timedOut) return "TimedOut";
  return signal === null ? undefined : "Terminated";
}

function reasonOfText(lines: readonly string[]): FailureReason {
  return lines.some((line) => /runtime: out of memory|cannot allocate memory/i.test(line)) ? "OutOfMemory" : "Unknown";
}

function reasonOf(phase: Phase, error: Diagnostic): FailureReason {
  const { summary, detail, address } = error;
  const named = known.find(
    ([, pattern]) => pattern.test(summary) || (address === undefined && pattern.test(detail.slice(0, 400))),
  );
  if (named !== undefined) return named[0];
  if (phase === "Init" && moduleSummary.test(summary))
    return network.test(detail) ? "RegistryUnreachable" : "ModuleNotFound";
  if (providerSummary.test(summary)) return network.test(detail) ? "RegistryUnreachable" : "ProviderNotFound";
  if (phase === "Apply") return "ApplyFailed";
  if (moduleSummary.test(summary)) return "ModuleNotFound";
  if (configurationSummary.test(summary)) return "ConfigurationInvalid";
  if (phase === "Init") return error.file === undefined ? "Unknown" : "ConfigurationInvalid";
  return "ProviderFailed";
}

function messageOf(
  reason: FailureReason,
  phase: Phase,
  end: EngineEnd,
  diagnostics: readonly Diagnostic[],
  lastLines: readonly string[],
): string {
  const told = describeErrors(diagnostics);
  const step = phase.toLowerCase();
  const lead: Partial<Record<FailureReason, string>> = {
    OutOfMemory: `the engine ran out of memory in ${step}: raise runner.resources.limits.memory`,
    TimedOut: `${step} took longer than its timeout and was ended: raise spec.timeouts, or look for a provider that hangs`,
    Terminated: `${step} was ended by ${end.signal ?? "a signal"} before it was done`,
    Unknown: end.startError ?? `${step} ended with exit code ${end.code ?? "none"} and no error message`,
  };
  const first = reason === "Unknown" && told !== "" ? undefined : lead[reason];
  const tail = told === "" && reason === "Unknown" ? lastLines.slice(-5).join("\n").slice(-1024) : "";
  return [first, told, tail].filter((part) => part !== undefined && part !== "").join("\n");
}
