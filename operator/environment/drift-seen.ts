import { type Condition, LONGEST_MESSAGE, type Reason } from "../api/conditions.ts";
import { cutBytes } from "../api/cut-bytes.ts";
import type { Drift } from "../api/drift.ts";
import type { Environment } from "../api/environment.ts";
import type { ComponentStatus } from "../api/environment-status.ts";
import { isClosed, type Run } from "../api/run.ts";
import type { PlanCounts } from "../api/run-status.ts";
import { blindTo } from "../engine/drift.ts";
import type { RecordedDrift } from "../storage/record.ts";
import { refusedProposal } from "./correction.ts";
import { driftSettings, hasFailed, isFoundWithOtherRules } from "./drift.ts";
import { endedAtMs } from "./retry.ts";
import type { Verdict } from "./verdict.ts";

/** What is known about one component's drift. */
export interface DriftSeen {
  readonly name: string;
  readonly status: Condition["status"];
  readonly reason: Reason;
  readonly message: string;
  readonly found?: RecordedDrift;
  /** That its rules leave nothing to be found, where something else is the reason. */
  readonly blind?: string;
}

const SHOWN = 3;
const LONGEST_ADDRESS = 128;
const LONGEST_NO = 128;
const IGNORED = {
  everything:
    "the rules of drift.ignore match everything, so no drift can be found: narrow their addresses or attributes",
  edits:
    "the rules of drift.ignore match every change of attributes, so only what is missing or must be replaced can be found: narrow their addresses or attributes",
} as const;

type DriftCondition = Pick<Condition, "type" | "status" | "message"> & { readonly reason: Reason };

/** Undefined where nobody looks. */
export function driftSeen(environment: Environment, { name, past, satisfied }: Verdict): DriftSeen | undefined {
  const { spec } = environment;
  const component = spec.components.find((candidate) => candidate.name === name);
  const { applied, drift: found } = past.record ?? {};
  if (component === undefined || applied === undefined) return undefined;
  const settings = driftSettings(spec, component);
  const { interval, action, ignore = [] } = settings;
  if (interval === undefined) return undefined;
  const blind = blindTo(ignore);
  const isOutdated = isFoundWithOtherRules(past, settings);
  const counts = found !== undefined && !(isOutdated && blind !== undefined);
  if (!counts && blind === "everything") return ignoring(name, blind, found);
  const failure = failedSince(past, applied.at);
  if (failure !== undefined) {
    const { reason = "", message = "" } = failure.status?.outcome ?? {};
    const known = found === undefined ? "" : `; before that: ${found.addresses[0] ?? ""} differed`;
    return {
      name,
      status: "Unknown",
      reason: "CheckFailed",
      message: `${reason}: ${message}${known}`,
      ...withFound(found),
      ...toldBlind(blind),
    };
  }
  if (!counts && blind !== undefined) return ignoring(name, blind, found);
  if (found === undefined) return { name, status: "False", reason: "NoDrift", message: "" };
  // While something else is to be applied, that is what brings it back.
  const refused = satisfied ? refusedProposal(environment, component, past) : undefined;
  const { reason, said } = correctionOf({ past, found, action, refused });
  const before = isOutdated ? "found before drift.ignore changed: " : "";
  return { name, status: "True", reason, message: `${before}${said}${differing(found)}`, found, ...toldBlind(blind) };
}

const ignoring = (name: string, what: keyof typeof IGNORED, found: RecordedDrift | undefined): DriftSeen => ({
  name,
  status: "Unknown",
  reason: "EverythingIgnored",
  message: IGNORED[what],
  ...withFound(found),
});

const toldBlind = (what: keyof typeof IGNORED | undefined) => (what === undefined ? {} : { blind: IGNORED[what] });

interface Correction extends Pick<Verdict, "past"> {
  readonly found: RecordedDrift;
  readonly action: Drift["action"];
  readonly refused: Run | undefined;
}

/** How it stands with the correction, where one is wanted. */
function correctionOf({ past: { latest }, found: { number }, action, refused }: Correction) {
  const none = { reason: "DriftFound", said: "" } as const;
  if (action === undefined || action === "Report" || latest === undefined || latest.spec.number < number) return none;
  if (!isClosed(latest)) return { ...none, said: `Run ${latest.spec.number} brings it back: ` };
  if (refused !== undefined) return { ...none, said: `left as it is (${noOf(refused)}): ` };
  if (!hasFailed(latest)) return none;
  const { reason = "", message = "" } = latest.status?.outcome ?? {};
  return { reason: "CorrectionFailed", said: `not brought back (${reason}: ${message}): ` } as const;
}

const noOf = ({ status }: Run): string => cutBytes(status?.outcome?.message ?? "", LONGEST_NO);

const withFound = (found: RecordedDrift | undefined) => (found === undefined ? {} : { found });

/** The newest Check, where it could not look, and nothing was applied since. */
function failedSince({ checks }: Verdict["past"], appliedAt: string) {
  const last = checks.find(({ status }) => status?.phase !== undefined && status.phase !== "Cancelled");
  return last !== undefined && hasFailed(last) && endedAtMs(last) > Date.parse(appliedAt) ? last : undefined;
}

function differing({ addresses, counts }: RecordedDrift): string {
  const total = Math.max(addresses.length, counts.create + counts.update + counts.replace + counts.delete);
  const more = total > SHOWN ? ` and ${total - SHOWN} more` : "";
  return `${addresses.slice(0, SHOWN).join(", ")}${more} (to correct it: ${countsText(counts)})`;
}

function countsText(counts: PlanCounts): string {
  const said = (["create", "update", "replace", "delete"] as const).filter((action) => counts[action] > 0);
  return said.length === 0 ? "outputs only" : said.map((action) => `${counts[action]} to ${action}`).join(", ");
}

/** For the line of the component. */
export function driftLine(seen: DriftSeen | undefined): Pick<ComponentStatus, "drift"> {
  if (seen?.found === undefined) return {};
  const { counts, addresses, since, run } = seen.found;
  return {
    drift: { counts, addresses: addresses.slice(0, SHOWN).map((one) => one.slice(0, LONGEST_ADDRESS)), since, run },
  };
}

/** One condition for all: first what has drifted, then what is not known. Absent where nobody looks at anything. */
export function driftCondition(seen: readonly DriftSeen[]): DriftCondition | undefined {
  if (seen.length === 0) return undefined;
  const worst =
    seen.find(({ status }) => status === "True") ?? seen.find(({ status }) => status === "Unknown") ?? seen[0];
  if (worst === undefined) return undefined;
  const { status, reason } = worst;
  const same = seen.filter((one) => one.status === status && one.reason === reason);
  const blind = seen.flatMap((one) => (same.includes(one) && one.blind === undefined ? [] : (asBlind(one) ?? [])));
  const message =
    status === "False"
      ? "what was applied is what is there, as far as the last plans saw"
      : withWhole(told(same), told(blind));
  return { type: "Drifted", status, reason, message };
}

/** What is said of its rules beside what the condition is about. */
function asBlind({ name, reason, message, blind }: DriftSeen): Pick<DriftSeen, "name" | "message"> | undefined {
  const said = reason === "EverythingIgnored" ? message : blind;
  return said === undefined ? undefined : { name, message: said };
}

const told = (seen: readonly Pick<DriftSeen, "name" | "message">[]) =>
  seen.map(({ name, message }) => `${name}: ${message}`).join("; ");

/** Of what has drifted the end may be cut; that nobody looks elsewhere must not depend on its length. */
function withWhole(drifted: string, blind: string): string {
  if (blind === "") return drifted;
  const shown = cutBytes(blind, LONGEST_MESSAGE / 2);
  return `${cutBytes(drifted, LONGEST_MESSAGE - Buffer.byteLength(shown) - 2)}; ${shown}`;
}

/** Also beside what has drifted elsewhere, whose reason the condition has then. */
export function tellsOfEverythingIgnored(condition: Pick<Condition, "message"> | undefined): boolean {
  return Object.values(IGNORED).some((message) => condition?.message.includes(message));
}

/** A condition that people have seen does not disappear: whoever waits for it would wait for ever. */
export function nobodyLooks({ status }: Environment): DriftCondition | undefined {
  const told = status?.conditions?.some(({ type }) => type === "Drifted") ?? false;
  if (!told) return undefined;
  return {
    type: "Drifted",
    status: "Unknown",
    reason: "NotChecked",
    message: "nobody looks any more: no drift.interval is declared",
  };
}
