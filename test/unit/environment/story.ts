import { digestOfIgnore } from "../../../operator/api/drift.ts";
import type { Environment } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { Run, RunSpec } from "../../../operator/api/run.ts";
import type { OutputRecord, RunOutcome, RunStatus } from "../../../operator/api/run-status.ts";
import { type Decision, decide } from "../../../operator/environment/decide.ts";
import { isClosed, type Observation, type RevisionSeen } from "../../../operator/environment/observation.ts";
import { runName } from "../../../operator/environment/run-name.ts";
import { statusFor } from "../../../operator/environment/status.ts";
import type { Verdict } from "../../../operator/environment/verdict.ts";
import { stateNameOf } from "../../../operator/run/witness.ts";
import { withApplied, withNothingLeft } from "../../../operator/storage/conclusion.ts";
import { withCutOff, withRejection } from "../../../operator/storage/cut-off.ts";
import { withRules } from "../../../operator/storage/declared-rules.ts";
import { adopted } from "../../../operator/storage/ownership.ts";
import type { ComponentRecord, StateVersion } from "../../../operator/storage/record.ts";
import { renamed } from "../../../operator/storage/rename.ts";
import { appliedBy, aRecord, aRun, CATALOGUE, ended, T0 } from "../../fakes/objects.ts";

export const ONE_EDITED = {
  counts: { create: 0, update: 1, replace: 0, delete: 0 },
  addresses: ["thing.a"],
  digest: "sha256:a",
};

/** A world in memory that carries decisions out at once, and lets a test say how each Run ends. */
export function aStory(environment: Environment) {
  let current = environment;
  let nowMs = T0;
  let revision: RevisionSeen = { state: "unfollowed" };
  let crdTerminating = false;
  let deletions = { together: 1, limit: 10 };
  const runs = new Map<string, Run>();
  const records = new Map<string, ComponentRecord>();
  const started: string[] = [];
  const superseded: string[] = [];

  const observation = (): Observation => ({
    environment: current,
    runs: [...runs.values()].filter(({ spec }) => spec.environment.uid === current.metadata.uid),
    records: [...records.values()],
    revisionOf: (source) => (source.git === undefined ? { state: "unfollowed" } : revision),
    catalogue: CATALOGUE,
    nowMs,
    deletions,
    crdTerminating,
  });
  const startRun = (spec: RunSpec): void => {
    const name = runName(spec);
    if (runs.has(name)) return;
    started.push(`${spec.operation} ${spec.component} #${spec.number}`);
    runs.set(name, aRun(spec));
    const record = records.get(spec.component);
    if (record === undefined) records.set(spec.component, aRecord(spec.component, { mayHoldObjects: false }));
    else if (record.owner.environmentUid !== current.metadata.uid || record.ownership !== "Owned")
      records.set(spec.component, adopted(record, current.metadata.uid));
  };
  const carryOut = ({ name, step }: Verdict): void => {
    const record = records.get(name);
    if (step.type === "startRun") startRun(step.spec);
    if (step.type === "supersede") {
      const { metadata } = step.run;
      superseded.push(step.why);
      const outcome = { result: "Cancelled", reason: "Superseded", message: step.why } as const;
      runs.set(metadata.name, ended(step.run, outcome, nowMs));
    }
    if (step.type === "forgetState") records.delete(name);
    if (step.type === "releaseState" && record !== undefined) records.set(name, { ...record, ownership: "Released" });
    if (step.type === "renameState") {
      const from = records.get(step.from);
      if (from === undefined) return;
      records.delete(step.from);
      for (const [runKey, run] of runs) {
        if (stateNameOf(run) !== step.from) continue;
        const moved = { [ANNOTATIONS.movedTo]: step.to, [ANNOTATIONS.stateName]: step.to };
        const annotations = { ...run.metadata.annotations, ...moved };
        runs.set(runKey, { ...run, metadata: { ...run.metadata, annotations } });
      }
      const key = { ...from.key, component: step.to };
      const isCopied = records.get(step.to)?.storageId === from.storageId;
      if (!isCopied) records.set(step.to, renamed(from, key));
    }
  };
  const story = {
    started,
    /** Why plans that waited became void. */
    superseded,
    records,
    environment: () => current,
    observation,
    runs: () => [...runs.values()],
    openRuns: () => [...runs.values()].filter((run) => !isClosed(run)),
    decision: () => decide(observation()),
    /** One round: decides, and does what was decided. */
    round(): Decision {
      const decision = decide(observation());
      if (!("verdicts" in decision)) return decision;
      for (const { key, rules } of decision.rulesToNote ?? []) {
        const record = records.get(key.component);
        if (record !== undefined) records.set(key.component, withRules(record, rules));
      }
      decision.verdicts.forEach(carryOut);
      return decision;
    },
    verdict(name: string): Verdict {
      const decision = story.decision();
      const verdicts = "verdicts" in decision ? decision.verdicts : [];
      const found = verdicts.find((verdict) => verdict.name === name);
      if (found === undefined) throw new Error(`no verdict about ${name} in ${decision.type}`);
      return found;
    },
    /** The plan of the open Run of a component begins to wait for people. */
    hold(component: string, plan: { readonly revision?: string } = {}): Run {
      const run = story.openRuns().find(({ spec }) => spec.component === component);
      if (run === undefined) throw new Error(`no open Run of ${component}`);
      const waiting: Run = {
        ...run,
        status: {
          observedGeneration: 1,
          phase: "AwaitingApproval",
          heldAt: new Date(nowMs).toISOString(),
          expiresAt: new Date(nowMs + 86_400_000).toISOString(),
          plan: {
            digest: `sha256:${"a".repeat(64)}`,
            counts: { create: 1, update: 0, replace: 0, delete: 2 },
            resources: [],
            verdict: "Hold",
            ...plan,
          },
        },
      };
      runs.set(run.metadata.name, waiting);
      return waiting;
    },
    /** Ends the open Run of a component, and records in the store what such an end leaves there. */
    end(
      component: string,
      result: RunOutcome["result"],
      more: Partial<RunOutcome> & { readonly outputs?: readonly OutputRecord[] } = {},
    ): void {
      const run = story.openRuns().find(({ spec }) => spec.component === component && spec.operation !== "Check");
      if (run === undefined) throw new Error(`no open Run of ${component}`);
      const { outputs = [], ...outcome } = more;
      const began =
        ["Applied", "Destroyed", "Interrupted"].includes(result) ||
        ["ApplyFailed", "DestroyFailed"].includes(outcome.reason ?? "");
      const applyStartedAt = new Date(nowMs).toISOString();
      const status = { ...run.status, observedGeneration: 1, ...(began ? { applyStartedAt } : {}) };
      runs.set(run.metadata.name, ended({ ...run, status }, { result, ...outcome }, nowMs));
      const record = records.get(component) ?? aRecord(component);
      const { name, uid } = run.metadata;
      if (outcome.reason === "Rejected") records.set(component, withRejection(record));
      if (result === "Applied" || result === "Unchanged") {
        const applied = { ...appliedBy(run, outputs), at: new Date(nowMs).toISOString() };
        records.set(component, { ...withApplied(record, applied, result), mayHoldObjects: true });
      } else if (result === "Destroyed") {
        records.set(component, withNothingLeft(record));
      } else if (run.spec.operation === "Destroy" && began) {
        const destroyBegun = { run: name, at: applyStartedAt };
        records.set(component, { ...record, destroyBegun });
      } else if (run.spec.operation === "Apply" && (outcome.reason === "ApplyFailed" || result === "Interrupted")) {
        const corrects = run.spec.cause.type === "DriftFound" || record.attempted?.correction === true;
        const attempted = { ...appliedBy(run), ...(corrects ? { correction: true as const } : {}) };
        const begun = { ...record, mayHoldObjects: true, attempted };
        const request = current.metadata.annotations?.[ANNOTATIONS.requestedAt];
        const ending = { name, uid, operation: run.spec.operation, ...(request === undefined ? {} : { request }) };
        records.set(component, result === "Interrupted" ? withCutOff(begun, ending, new Date(nowMs)) : begun);
      }
    },
    /** What its Run says of itself. */
    tell({ metadata }: Run, status: Partial<RunStatus>): void {
      const run = runs.get(metadata.name);
      if (run === undefined) throw new Error(`no Run ${metadata.name}`);
      runs.set(metadata.name, { ...run, status: { observedGeneration: 1, ...run.status, ...status } });
    },
    beginApply(component: string): void {
      const run = story.openRuns().find(({ spec }) => spec.component === component && spec.operation !== "Check");
      if (run === undefined) throw new Error(`no open Run of ${component}`);
      runs.set(run.metadata.name, { ...run, status: { observedGeneration: 1, phase: "Applying" } });
    },
    openChecks: () => story.openRuns().filter(({ spec }) => spec.operation === "Check"),
    /** Ends the open Check of a component; what it has found is recorded as the gateway does. */
    endCheck(component: string, result: RunOutcome["result"], more: Partial<RunOutcome> = {}): void {
      const run = story.openChecks().find(({ spec }) => spec.component === component);
      if (run === undefined) throw new Error(`no open Check of ${component}`);
      runs.set(run.metadata.name, ended(run, { result, reason: result, ...more }, nowMs));
      const { drift: known, ...record } = records.get(component) ?? aRecord(component);
      const since = known?.since ?? new Date(nowMs).toISOString();
      const { name } = run.metadata;
      const ignoreDigest = digestOfIgnore(run.spec.drift?.ignore);
      const drift = { since, run: name, number: run.spec.number, ...ONE_EDITED, ignoreDigest };
      if (result === "Unchanged") records.set(component, record);
      if (result === "Drifted") records.set(component, { ...record, drift });
    },
    forgetRun: (name: string) => runs.delete(name),
    /** A Run that somebody else has made. */
    putRun: (run: Run) => runs.set(run.metadata.name, run),
    /** A newer state of a component is in the store. */
    handOver(component: string, serial: number, more: Partial<StateVersion> = {}): void {
      const blob = { id: `state-${serial}`, kind: "state", digest: `sha256:${serial}`, size: 1, chunks: 1 } as const;
      const at = new Date(nowMs).toISOString();
      const state = { lineage: "line", serial, resources: 1, blob, run: `shop-${component}-${serial}`, at, ...more };
      records.set(component, { ...(records.get(component) ?? aRecord(component)), state });
    },
    now: () => nowMs,
    /** Rounds until nothing is started any more, each Run ending well at once. */
    settle(outputs: Readonly<Record<string, readonly OutputRecord[]>> = {}): void {
      for (let rounds = 0; rounds < 500; rounds += 1) {
        story.round();
        const open = story.openRuns().filter(({ spec }) => spec.operation !== "Check");
        if (open.length === 0) return;
        for (const { spec } of open) {
          story.end(spec.component, spec.operation === "Apply" ? "Applied" : "Destroyed", {
            outputs: outputs[spec.component] ?? [],
          });
        }
      }
      throw new Error("the story does not settle");
    },
    edit(change: (environment: Environment) => Environment): void {
      const edited = change(current);
      current = { ...edited, metadata: { ...edited.metadata, generation: (current.metadata.generation ?? 0) + 1 } };
    },
    annotate(annotations: Readonly<Record<string, string>>): void {
      const merged = { ...current.metadata.annotations, ...annotations };
      current = { ...current, metadata: { ...current.metadata, annotations: merged } };
    },
    unannotate(name: string): void {
      const { [name]: _, ...annotations } = current.metadata.annotations ?? {};
      current = { ...current, metadata: { ...current.metadata, annotations } };
    },
    delete(): void {
      current = { ...current, metadata: { ...current.metadata, deletionTimestamp: new Date(nowMs).toISOString() } };
    },
    /** Deletes it as one of so many. */
    deleteWith(together: number): void {
      deletions = { ...deletions, together };
      if (current.metadata.deletionTimestamp === undefined) story.delete();
    },
    /** Writes the status that the decision amounts to, as a round ends. */
    report(): void {
      const status = statusFor(current, story.decision(), { lines: [] }, new Date(nowMs));
      if (status !== undefined) current = { ...current, status };
    },
    terminateCrd(): void {
      crdTerminating = true;
    },
    sourceAt(seen: RevisionSeen): void {
      revision = seen;
    },
    pass(ms: number): void {
      nowMs += ms;
    },
  };
  return story;
}
