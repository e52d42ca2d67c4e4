import type { RunSpec } from "../api/run.ts";
import type { RunOutcome } from "../api/run-status.ts";
import type { ObjectReference } from "../cluster/ports.ts";
import type { Clock } from "../loop/clock.ts";
import type { KeyRing } from "../storage/key-ring.ts";
import type { StateStore } from "../storage/port.ts";
import type { Claim, UsedOutput } from "../storage/record.ts";
import type { ApprovalsOf } from "./approved.ts";
import type { AuthenticationPorts } from "./authentication.ts";
import type { Known } from "./known.ts";
import type { PlanTexts } from "./plan-text.ts";
import type { ProgressThrottle } from "./progress.ts";
import type { RunStatuses } from "./run-status.ts";
import type { Session } from "./sessions.ts";
import type { Judge } from "./verdict.ts";

/** The digest of what was applied, where the operator did not know all of it beforehand. */
export type DigestOfApplied = (spec: RunSpec, revision: string | undefined, outputs: readonly UsedOutput[]) => string;

interface FoundByRun {
  /** Where only the agent knew it. */
  readonly revision: string | undefined;
  /** Of the Run, which carries the outputs that it was given. */
  readonly claim: Claim | undefined;
}

/** The desired digest, completed with what was not known, or was something else, when the Run was made. */
export function digestWith(digestOf: DigestOfApplied, spec: RunSpec, found: FoundByRun): string {
  const { source, revision } = spec.inputs;
  const outputs = found.claim?.outputs ?? [];
  const isComplete = source.git === undefined || revision !== undefined || found.revision === undefined;
  if (isComplete && outputs.length === 0) return spec.desiredDigest;
  return digestOf(spec, isComplete ? revision : found.revision, outputs);
}

/** One line for each request, and one for what goes wrong. Never a body, a token or a header. */
export interface GatewayLog {
  info(facts: Readonly<Record<string, unknown>>, message: string): void;
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}

/** What the routes use. */
export interface GatewayContext {
  readonly store: StateStore;
  readonly ring: KeyRing;
  readonly client: AuthenticationPorts["client"];
  readonly known: Known;
  readonly statuses: RunStatuses;
  readonly planTexts: PlanTexts;
  readonly judge: Judge;
  readonly approvals: ApprovalsOf;
  readonly digestOfApplied: DigestOfApplied;
  readonly progress: ProgressThrottle;
  readonly clock: Clock;
  readonly log: GatewayLog;
  /** A Check has ended, for the metrics. */
  readonly onChecked: (session: Session, outcome: RunOutcome, durationMs: number) => void;
  /** What a person who looks at a Run should know: an event. */
  readonly tell: (run: ObjectReference, reason: string, message: string) => void;
  /** After each answer, for the metrics. The route is one of ours, or empty. */
  readonly onAnswered: (facts: { readonly route: string; readonly code: number; readonly durationMs: number }) => void;
}
