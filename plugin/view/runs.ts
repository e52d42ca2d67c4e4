import type { Run } from "../../operator/api/run.ts";
import { progressText } from "../reading/waiting.ts";
import { countsShort } from "./counts.ts";
import { age, type Cell, cut, type Paint, type Style, span, table } from "./text.ts";

/** A Run in a line. This is also what `-o json` prints. */
export interface RunLine {
  readonly name: string;
  readonly environment: string;
  readonly component: string;
  readonly number: number;
  readonly operation: string;
  readonly cause: string;
  /** The result, or the phase while there is none. */
  readonly state: string;
  readonly reason?: string;
  readonly message?: string;
  readonly plan?: string;
  readonly createdAt: string;
  /** From the creation to the end, in ms. */
  readonly tookMs?: number;
}

export function runLine({ metadata, spec, status }: Run): RunLine {
  const createdAt = metadata.creationTimestamp ?? "";
  const { outcome, plan, finishedAt } = status ?? {};
  const message = outcome?.message ?? status?.message;
  return {
    name: metadata.name,
    environment: spec.environment.name,
    component: spec.component,
    number: spec.number,
    operation: spec.operation,
    cause: spec.cause.type,
    state: outcome?.result ?? status?.phase ?? "Pending",
    ...(outcome === undefined ? {} : { reason: outcome.reason }),
    ...(message === undefined || message === "" ? {} : { message }),
    ...(plan === undefined ? {} : { plan: countsShort(plan.counts) }),
    createdAt,
    ...(finishedAt === undefined ? {} : { tookMs: Date.parse(finishedAt) - Date.parse(createdAt) }),
  };
}

const STYLES: Readonly<Record<string, Style>> = {
  Applied: "good",
  Unchanged: "good",
  Destroyed: "good",
  Failed: "bad",
  Interrupted: "bad",
  AwaitingApproval: "warn",
  Drifted: "warn",
  Waiting: "warn",
  Cancelled: "quiet",
};

const LONGEST_MESSAGE = 80;

export function runsView(lines: readonly RunLine[], now: Date, paint: Paint): readonly string[] {
  const several = new Set(lines.map(({ environment }) => environment)).size > 1;
  const rows = lines.map((line): readonly Cell[] => [
    line.name,
    several ? line.environment : "",
    line.component,
    `${line.number}`,
    line.operation,
    { style: "quiet", text: line.cause },
    { style: STYLES[line.state] ?? "strong", text: line.state },
    line.plan ?? "",
    age(line.createdAt, now),
    line.tookMs === undefined ? "" : span(line.tookMs),
    STYLES[line.state] === "good" ? "" : cut(line.message ?? "", LONGEST_MESSAGE),
  ]);
  const heads = ["NAME", "ENVIRONMENT", "COMPONENT", "#", "OPERATION", "CAUSE", "STATE", "PLAN", "AGE", "TOOK", "SAYS"];
  return table(heads, rows, paint);
}

/** What a Run that is under way is doing. */
export function workText({ status }: Run): string {
  const { phase = "Pending", message, progress } = status ?? {};
  const told = [message, progress === undefined ? undefined : progressText(progress)].filter(
    (one) => one !== undefined,
  );
  return told.length === 0 ? phase : told.join("; ");
}

/** How a Run has ended. */
export function endText({ metadata, status }: Run): string {
  const { result, message } = status?.outcome ?? {};
  return `${metadata.name} has ended as ${result ?? status?.phase}${message === undefined ? "" : `: ${message}`}`;
}
