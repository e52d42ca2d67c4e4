import type { ApprovalRules, ApprovalSpec } from "../../operator/api/approval.ts";
import { durationMs } from "../../operator/api/fields.ts";
import type { Run } from "../../operator/api/run.ts";
import type { KubeObject } from "../../operator/cluster/ports.ts";
import { APPROVALS, RUNS } from "../../operator/cluster/resources.ts";
import type { Clock } from "../../operator/loop/clock.ts";
import { type StateKey, stateKeyText } from "../../operator/storage/record.ts";
import type { WorldApi } from "./world-api.ts";
import type { SpecHistory } from "./world-expectation.ts";

/**
 * I4, measured against what was declared and what people really said: only a plan that enough different people approved is applied, byte for
 * byte.
 */
export interface ApprovalOracle {
  /** The pod begins that is to apply what waited. */
  begins(run: string): void;
  /** An engine is about to apply this. */
  applies(run: string, digest: string, work: string): void;
}

type Word = KubeObject & { readonly spec: ApprovalSpec; readonly metadata: { readonly creationTimestamp?: string } };

export function watchApprovals(
  api: WorldApi,
  clock: Pick<Clock, "now">,
  history: SpecHistory,
  violated: (what: string) => void,
): ApprovalOracle {
  /** The bytes that people could read under a digest. */
  const planned = new Map<string, string>();
  const runs = new Map<string, Run>();
  const heldAt = new Map<string, number>();
  api.onEvent(({ plural, now }) => {
    if (plural !== RUNS.plural || now === undefined) return;
    const run = now as unknown as Run;
    runs.set(run.metadata.name, run);
    if (run.status?.heldAt !== undefined && !heldAt.has(run.metadata.uid))
      heldAt.set(run.metadata.uid, Date.parse(run.status.heldAt));
  });

  function words(run: Run, digest: string): readonly Word[] {
    return api
      .all<Word>(APPROVALS.plural)
      .filter(({ spec }) => spec.run.uid === run.metadata.uid && spec.planDigest === digest)
      .filter(({ spec }) => spec.environment === run.spec.environment.name);
  }

  /** The own rules of a component when it was applied last: they stay in force when its declaration is gone. */
  const appliedWith = new Map<string, ApprovalRules | undefined>();

  /** Who must agree to this Run's plan at least, by the spec that it was made for. */
  function declaredFor({ metadata, spec: { environment, component, operation } }: Run, work: string) {
    const spec = history.at(environment.uid, environment.generation);
    const declared = spec?.components.find(({ name }) => name === component);
    const key: StateKey = { namespace: metadata.namespace, environment: environment.name, component };
    const own = declared === undefined ? appliedWith.get(stateKeyText(key)) : declared.approval;
    if (operation === "Apply") appliedWith.set(stateKeyText(key), own);
    const rules = own ?? spec?.approval;
    if (operation === "Destroy") return rules?.destroy ?? rules;
    const stricter = onlyDestroys(work) ? (rules?.destroy?.required ?? 0) : 0;
    return rules === undefined ? undefined : { ...rules, required: Math.max(rules.required, stricter) };
  }

  /** Who had said no already when the pod began: the gateway cannot have missed it. */
  const refusedBefore = new Map<string, readonly string[]>();
  const noes = (run: Run, digest: string) =>
    words(run, digest)
      .filter(({ spec }) => spec.decision === "Reject")
      .map(({ spec }) => spec.approver);

  return {
    begins(name) {
      const run = runs.get(name);
      if (run !== undefined) refusedBefore.set(name, noes(run, run.status?.plan?.digest ?? ""));
    },
    applies(name, digest, work) {
      const before = planned.get(digest);
      if (before !== undefined && before !== work)
        violated(`I4: ${name} applies other bytes than were read under ${digest}`);
      planned.set(digest, work);
      const run = runs.get(name);
      if (run === undefined) return;
      const approval = run.spec.rules?.approval;
      const { required = 0 } = (onlyDestroys(work) ? approval?.destroy : undefined) ?? approval ?? {};
      const declared = declaredFor(run, work);
      if (required < (declared?.required ?? 0))
        return violated(`I4: ${name} asks ${required} people, where ${declared?.required} must agree`);
      if (required > 0 && approval?.unless !== undefined && approval.unless !== declared?.unless)
        return violated(`I4: ${name} asks nobody where ${approval.unless}, and that is not declared`);
      if (required === 0) return;
      // Nobody is asked about a destroy that finds nothing left: it only takes out of the state what is gone already.
      if (run.spec.operation === "Destroy" && changesNothing(work)) return;
      if (run.status?.plan?.digest !== digest)
        return violated(`I4: ${name} applies ${digest}, which its status does not show`);
      const said = words(run, digest);
      const yes = new Set(said.filter(({ spec }) => spec.decision === "Approve").map(({ spec }) => spec.approver));
      if (yes.size < required) violated(`I4: ${name} applies ${digest}: ${yes.size} of ${required} people approved it`);
      for (const person of refusedBefore.get(name) ?? [])
        violated(`I4: ${name} applies ${digest}, which ${person} had rejected`);
      const since = heldAt.get(run.metadata.uid);
      if (since === undefined) return violated(`I4: ${name} applies ${digest}, which never waited`);
      const until = since + durationMs(approval?.expiresAfter ?? "24h");
      if (clock.now().getTime() > until + LATE_MS) violated(`I4: ${name} applies a plan that had expired`);
    },
  };
}

/** Between the gateway's word and the engine's start the clock may be moved on. */
const LATE_MS = 3_600_000;

const changesIn = (work: string) =>
  (JSON.parse(work) as { readonly changes: readonly { readonly action: string }[] }).changes;

const changesNothing = (work: string): boolean => changesIn(work).length === 0;

const onlyDestroys = (work: string): boolean =>
  !changesNothing(work) && changesIn(work).every(({ action }) => action === "delete");
