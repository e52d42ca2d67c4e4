import { reasonNames, standingOf } from "../../operator/api/conditions.ts";
import type { Environment } from "../../operator/api/environment.ts";
import type { ComponentStatus } from "../../operator/api/environment-status.ts";
import type { Run } from "../../operator/api/run.ts";
import type { RunStatus } from "../../operator/api/run-status.ts";

/** Whose turn it is: somebody who approves, somebody who acts, time, another component, or the engine. */
export type WaitsFor = "approval" | "person" | "time" | "component" | "engine";

export interface Waiting {
  readonly for: WaitsFor;
  /** In a few words. */
  readonly what: string;
  /** Absent where nobody knows. */
  readonly since?: string;
  /** Components that cannot go on before this one: what the waiting costs. */
  readonly behind: readonly string[];
}

interface Facts {
  readonly environment: Environment;
  readonly line: ComponentStatus;
  /** The Run that the line speaks of. */
  readonly run: Run | undefined;
  /** Components that this one waits for. */
  readonly unmet: readonly string[];
  readonly behind: readonly string[];
}

/** Nobody has to wait for a component in such a state. */
export function isSettled(state: string | undefined, leaving: boolean): boolean {
  return leaving ? state === "Destroyed" : state === "Ready" || state === "Drifted" || state === "Destroyed";
}

/** Undefined: nothing waits here. */
export function waitingOf(facts: Facts): Waiting | undefined {
  const answer = turn(facts);
  return answer === undefined ? undefined : { ...answer, behind: facts.behind };
}

function turn(facts: Facts): Omit<Waiting, "behind"> | undefined {
  const { environment, line, run, unmet } = facts;
  const status = run?.status;
  const asked = dated(environment, run, status?.finishedAt);
  // States are text here: an operator that is newer than the plugin may know more of them.
  switch (line.state as string) {
    case "Ready":
    case "Drifted":
    case "Destroyed":
      return undefined;
    case "AwaitingApproval":
      return {
        ...wordOrTurn(environment, line),
        ...dated(environment, run, line.approval?.since ?? status?.heldAt ?? status?.plannedAt),
      };
    case "Blocked":
      return { for: "component", what: unmet.join(", ") || (line.message ?? "others") };
    case "Planning":
    case "Checking":
    case "Applying":
    case "Destroying":
      if (isForPerson(line.reason)) return { for: "person", what: sentence(line), ...asked };
      return { for: "engine", what: workText(line, status), ...dated(environment, run, status?.startedAt) };
    case "Suspended":
      return heldBack(environment, line);
    case "Stalled":
      return { for: "person", what: sentence(line), ...asked };
    case "Failed":
      return isGivenUp(line)
        ? { for: "person", what: sentence(line), ...asked }
        : { for: "time", what: sentence(line), ...(line.retryAt === undefined ? {} : { since: line.retryAt }) };
    default:
      return {
        for: "time",
        what: line.message ?? "its turn",
        ...dated(environment, undefined, run?.metadata.creationTimestamp),
      };
  }
}

/** Tries that come to an end are counted. What hinders a Run from being made, as a git host that is away, is looked at again in any case. */
const isGivenUp = ({ retryAt, retries }: ComponentStatus): boolean => retryAt === undefined && retries !== undefined;

/** Only what somebody has suspended waits for a person: windows open, and what sleeps wakes, by themselves. */
function heldBack(environment: Environment, line: ComponentStatus): Omit<Waiting, "behind"> {
  if (line.reason !== "WindowClosed" && line.reason !== "Asleep")
    return { for: "person", what: "resume", ...dated(environment, undefined, undefined) };
  return { for: "time", what: sentence(line) };
}

/** Once people have agreed, it waits for what it needs, or for a place; or for whoever has suspended all. */
function wordOrTurn({ spec }: Environment, line: ComponentStatus): Pick<Waiting, "for" | "what"> {
  const { approval } = line;
  if (approval === undefined || approval.given < approval.required)
    return { for: "approval", what: approvalText(line) };
  return { for: spec.suspend ? "person" : "component", what: sentence(line) };
}

/** A Run that is under way can come to where it needs somebody: a pod that is in its way, or that cannot be proven dead. */
function isForPerson(reason: string | undefined): boolean {
  const known = reasonNames.find((name) => name === reason);
  return known !== undefined && standingOf(known) === "person";
}

function approvalText({ approval }: ComponentStatus): string {
  if (approval === undefined || approval.required <= 1) return "an approval";
  return `${approval.given} of ${approval.required} approvals`;
}

const sentence = ({ reason, message, state }: ComponentStatus): string =>
  message === undefined ? (reason ?? state) : message;

function workText({ message, state }: ComponentStatus, status: RunStatus | undefined): string {
  const progress = status?.progress;
  if (status?.message !== undefined) return status.message;
  return progress === undefined ? (message ?? state.toLowerCase()) : progressText(progress);
}

/** The step, how far it is, and at which resource. */
export function progressText(progress: NonNullable<RunStatus["progress"]>): string {
  const share = progress.total === undefined ? "" : ` ${progress.done ?? 0}/${progress.total}`;
  return `${progress.step}${share}${progress.current === undefined ? "" : ` ${progress.current}`}`;
}

/** The best that is known: a time of the Run, or since when the Environment has not been Ready. */
function dated(environment: Environment, run: Run | undefined, at: string | undefined): { since?: string } {
  const ready = environment.status?.conditions?.find(({ type }) => type === "Ready");
  const since = at ?? run?.metadata.creationTimestamp ?? ready?.lastTransitionTime;
  return since === undefined ? {} : { since };
}
