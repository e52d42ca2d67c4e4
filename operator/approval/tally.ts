import type { Approval, RunRules } from "../api/approval.ts";
import { durationMs } from "../api/fields.ts";

/** The plan that people are asked about. */
export interface HeldQuestion {
  readonly environment: string;
  readonly run: { readonly name: string; readonly uid: string };
  readonly planDigest: string;
  readonly heldAtMs: number;
  readonly rules: RunRules | undefined;
}

/** One person's word, and why it does not count where it does not. */
export interface Word {
  readonly approver: string;
  readonly decision: "Approve" | "Reject";
  readonly at: string;
  readonly reason?: string;
  readonly ignored?: string;
}

export type Standing =
  | { readonly type: "waiting"; readonly given: number; readonly required: number; readonly expiresAtMs: number }
  | { readonly type: "approved"; readonly by: readonly string[]; readonly expiresAtMs: number }
  | { readonly type: "rejected"; readonly by: string; readonly reason: string | undefined }
  | { readonly type: "expired"; readonly given: number; readonly required: number };

/** In the words that Run, status and refusal share. */
export function rejectionText({ by, reason }: Pick<Extract<Standing, { readonly type: "rejected" }>, "by" | "reason">) {
  return `${by} rejected the plan${reason === undefined ? "" : `: ${reason}`}`;
}

export interface Tally {
  readonly standing: Standing;
  /** In the order of time. */
  readonly words: readonly Word[];
}

/** Of a plan whose rules do not say how long it may wait. */
export const DEFAULT_EXPIRY = "24h";

export function expiresAtMs({ heldAtMs, rules }: Pick<HeldQuestion, "heldAtMs" | "rules">): number {
  return heldAtMs + durationMs(rules?.approval?.expiresAfter ?? DEFAULT_EXPIRY);
}

/** What was said about a plan, and whether that suffices at this moment. A no outweighs every yes; one person counts once. */
export function tally(question: HeldQuestion, approvals: readonly Approval[], nowMs: number): Tally {
  const words = spoken(question, approvals);
  return { words, standing: standingOf(question, words, nowMs) };
}

function spoken(question: HeldQuestion, approvals: readonly Approval[]): readonly Word[] {
  const seen = new Set<string>();
  return approvals
    .filter(({ spec }) => spec.run.name === question.run.name)
    .toSorted((a, b) => atMs(a) - atMs(b) || (a.metadata.name < b.metadata.name ? -1 : 1))
    .map((approval) => {
      const { approver, decision, reason } = approval.spec;
      const ignored = whyIgnored(question, approval, seen);
      if (ignored === undefined) seen.add(`${decision} ${approver}`);
      return {
        approver,
        decision,
        at: new Date(atMs(approval)).toISOString(),
        ...(reason === undefined ? {} : { reason: reason.slice(0, 256) }),
        ...(ignored === undefined ? {} : { ignored }),
      };
    });
}

const atMs = ({ metadata }: Approval): number => Date.parse(metadata.creationTimestamp ?? "") || 0;

/**
 * The digest is what is approved; the rest makes sure that nobody mistook one thing for another. Nobody knows a digest before there is its plan:
 * that a word seems to be older tells only that the clocks of API server and gateway differ.
 */
function whyIgnored(question: HeldQuestion, approval: Approval, seen: ReadonlySet<string>): string | undefined {
  const { spec } = approval;
  if (spec.run.uid !== question.run.uid) return "it names a Run of the same name that is another (its UID differs)";
  if (spec.environment !== question.environment) return `it names the Environment ${spec.environment}`.slice(0, 256);
  if (spec.planDigest !== question.planDigest) return "it is about another plan (the digest differs)";
  if (atMs(approval) >= expiresAtMs(question)) return "it came too late: the plan had expired";
  if (seen.has(`${spec.decision} ${spec.approver}`)) return "the same person has said so before";
  return undefined;
}

function standingOf(question: HeldQuestion, words: readonly Word[], nowMs: number): Standing {
  const counted = words.filter(({ ignored }) => ignored === undefined);
  const no = counted.find(({ decision }) => decision === "Reject");
  if (no !== undefined) return { type: "rejected", by: no.approver, reason: no.reason };
  const by = counted.map(({ approver }) => approver);
  const required = question.rules?.approval?.required ?? 0;
  const until = expiresAtMs(question);
  // An approved plan grows old like any other: it was made for the world of its time.
  if (nowMs >= until) return { type: "expired", given: by.length, required };
  if (by.length < required) return { type: "waiting", given: by.length, required, expiresAtMs: until };
  return { type: "approved", by, expiresAtMs: until };
}
