import type { Environment } from "../../operator/api/environment.ts";
import type { Run } from "../../operator/api/run.ts";
import { ENVIRONMENTS, RUNS } from "../../operator/cluster/resources.ts";
import type { Clock } from "../../operator/loop/clock.ts";
import type { WorldApi } from "./world-api.ts";
import { declaredAt, endOf, isOverridden, mayBegin } from "./world-calendar.ts";
import type { SpecHistory } from "./world-expectation.ts";

/**
 * Nothing begins outside of the windows unless somebody said why, nothing is made after the end, and nothing is destroyed that is wanted. Time
 * stands still while anything is under way, so what was decided and what is done are of the same moment.
 */
export interface TimeOracle {
  /** An engine is about to apply for this Run. */
  applies(run: string): void;
}

interface Parts {
  readonly api: WorldApi;
  readonly clock: Pick<Clock, "now">;
  readonly history: SpecHistory;
  readonly violated: (what: string) => void;
}

interface Version {
  readonly atMs: number;
  readonly environment: Environment;
}

/** The product's clocks may be that far apart: it destroys what ends, or falls asleep, within this time. */
const SKEW_MS = 120_000;

export function watchTimes({ api, clock, history, violated }: Parts): TimeOracle {
  const versions = new Map<string, readonly Version[]>();
  const runs = new Map<string, Run>();
  const overridden = new Set<string>();
  const nowMs = () => clock.now().getTime();

  api.onEvent(({ plural, old, now }) => {
    if (plural === ENVIRONMENTS.plural && now !== undefined) note(now as unknown as Environment);
    if (plural !== RUNS.plural || now === undefined) return;
    const run = now as unknown as Run;
    runs.set(run.metadata.name, run);
    if (old === undefined && run.spec.operation !== "Check") isTimely(run);
  });

  function note(environment: Environment): void {
    const { uid } = environment.metadata;
    if (isOverridden(environment)) overridden.add(uid);
    versions.set(uid, [...ofThisMoment(uid), { atMs: nowMs(), environment }]);
  }

  /** As it was when this moment began, and all that it has become since. */
  function ofThisMoment(uid: string): readonly Version[] {
    const known = versions.get(uid) ?? [];
    const before = known.findLastIndex(({ atMs }) => atMs < nowMs());
    return known.slice(Math.max(0, before));
  }

  /** A Run is decided on what a cache knew: it is measured against the generation that it names. */
  function isTimely(run: Run): void {
    const { environment, operation, cause } = run.spec;
    const spec = history.at(environment.uid, environment.generation);
    const last = versions.get(environment.uid)?.at(-1)?.environment;
    if (spec === undefined || last === undefined) return;
    const saysWhy = cause.detail?.includes("outside of the windows: ") === true && overridden.has(environment.uid);
    if (!mayBegin(spec, nowMs()) && !saysWhy) violated(`windows: ${run.metadata.name} is begun outside of them`);
    if (operation === "Apply" && nowMs() >= endOf({ ...last, spec }))
      violated(`lifetime: ${run.metadata.name} is to make something after the end`);
  }

  /** The gateway's word is given on what the API server holds: on any version of this moment. */
  function applies(name: string): void {
    const run = runs.get(name);
    const candidates = ofThisMoment(run?.spec.environment.uid ?? "").map(({ environment }) => environment);
    if (run === undefined || candidates.length === 0) return;
    const { operation, component } = run.spec;
    if (!candidates.some((one) => mayBegin(one.spec, nowMs()) || isOverridden(one)))
      violated(`windows: ${operation} of ${component} by ${name} begins outside of them`);
    if (operation === "Apply" && candidates.every((one) => nowMs() >= endOf(one)))
      violated(`lifetime: ${name} makes ${component} after the end`);
    if (operation === "Destroy" && candidates.every((one) => isWanted(one, component)))
      violated(`I3: ${name} destroys ${component}, which is declared and awake`);
  }

  function isWanted(environment: Environment, component: string): boolean {
    if (environment.metadata.deletionTimestamp !== undefined) return false;
    return [-SKEW_MS, 0, SKEW_MS].every((skew) =>
      declaredAt(environment, nowMs() + skew).components.some(({ name }) => name === component),
    );
  }

  return { applies };
}
