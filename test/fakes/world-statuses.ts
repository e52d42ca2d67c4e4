import type { Environment, EnvironmentSpec } from "../../operator/api/environment.ts";
import { isClosed, type Run } from "../../operator/api/run.ts";
import { ENVIRONMENTS, RUNS } from "../../operator/cluster/resources.ts";
import type { Clock } from "../../operator/loop/clock.ts";
import { sameJson } from "./frozen.ts";
import { type KObject, type KStatus, kstatusOf, violationsBetween, violationsOf } from "./kstatus.ts";
import type { ApiEvent, WorldApi } from "./world-api.ts";
import type { StaysAwake } from "./world-awake.ts";
import { asScaled, declaredAt, endOf } from "./world-calendar.ts";
import type { Cloud } from "./world-cloud.ts";
import { expectedOf } from "./world-expectation.ts";

/** An object as it was at some moment of a story, and what kstatus made of it. */
export interface Moment {
  readonly kstatus: KStatus;
  readonly object: Environment | Run;
}

interface Parts {
  readonly api: WorldApi;
  readonly cloud: Cloud;
  readonly clock: Pick<Clock, "now">;
  readonly staysAwake: StaysAwake;
  readonly violated: (what: string) => void;
}

/** At every write of every story: the rules of kstatus hold, and what it would tell others is true. */
export function watchStatuses({ api, cloud, clock, staysAwake, violated }: Parts): readonly Moment[] {
  const moments: Moment[] = [];
  const look = ({ plural, old, now }: ApiEvent): void => {
    if (now === undefined || (plural !== ENVIRONMENTS.plural && plural !== RUNS.plural)) return;
    const kind = plural === RUNS.plural ? "Run" : "Environment";
    const [before, after] = [old === undefined ? undefined : asServed(old, kind), asServed(now, kind)];
    const kstatus = kstatusOf(after);
    const name = `${after.kind} ${after.metadata.name} (${kstatus})`;
    for (const what of [...violationsOf(after), ...violationsBetween(before, after)])
      violated(`kstatus: ${name}: ${what}`);
    if (sameJson(before?.status, after.status) && before !== undefined) return;
    if (before !== undefined && sameJson(untimed(before.status), untimed(after.status)))
      violated(`kstatus: ${name} is written to, and says nothing new`);
    const object = now as unknown as Environment | Run;
    moments.push({ kstatus, object });
    const lies = kind === "Run" ? liesOfRun(object as Run, kstatus) : liesOf(object as Environment, kstatus);
    for (const what of lies) violated(`kstatus: ${name}: ${what}`);
  };

  /** Whoever waited goes on now: everything that is declared must exist. */
  function liesOf(environment: Environment, kstatus: KStatus): readonly string[] {
    const ready = environment.status?.conditions?.find(({ type }) => type === "Ready")?.status;
    if (kstatus !== "Current") return [];
    if (ready !== "True") return [`Ready is ${ready}`];
    return environment.spec.components.flatMap(({ name }) => {
      const [wanted, there] = [wantedOf(environment, name), thereOf(environment, name)];
      return wanted.includes(there) ? [] : [`${name} should be ${wanted.join(" or ")}, and is ${there}`];
    });
  }

  const text = (things: Iterable<readonly [string, string]>): string =>
    [...things]
      .map(([address, content]) => `${address}=${content}`)
      .toSorted()
      .join();
  const wantedOf = (environment: Environment, name: string): readonly string[] =>
    declaredFor(environment, name).map((spec) => text(expectedOf(spec, name)?.resources ?? []));
  /** What stays awake at night may be there as it is by day, or scaled. */
  const declaredFor = (environment: Environment, name: string): readonly EnvironmentSpec[] => {
    const nowMs = clock.now().getTime();
    const declared = declaredAt(environment, nowMs);
    if (nowMs >= endOf(environment) || !staysAwake(environment.metadata.uid, name)) return [declared];
    return [declared, asScaled(environment.spec, nowMs), environment.spec];
  };
  const thereOf = ({ metadata }: Environment, component: string) => {
    const key = { namespace: metadata.namespace, environment: metadata.name, component };
    return text(
      cloud
        .asApplied(key)
        .filter(({ id }) => !cloud.abandoned().has(id))
        .map(({ address, content }) => [address, content]),
    );
  };

  api.onEvent(look);
  return moments;
}

/** A Run that is under way is never finished, one that failed is never fine, and one that is closed is in no progress. */
function liesOfRun(run: Run, kstatus: KStatus): readonly string[] {
  if (kstatus === "Terminating") return [];
  const { phase } = run.status ?? {};
  const failed = phase === "Failed" || phase === "Interrupted";
  if (isClosed(run))
    return kstatus === (failed ? "Failed" : "Current") ? [] : [`${phase}, and kstatus says ${kstatus}`];
  return kstatus === "Current" ? [`${phase}, and kstatus says it is finished`] : [];
}

type Served = KObject & { readonly status?: object };

/** The definitions of both kinds give a new object this status, which the API server in memory does not. */
function asServed(object: object, kind: string): Served {
  const served = object as Served;
  return { ...served, kind, status: { observedGeneration: -1, ...served.status } };
}

function untimed(status: KObject["status"]): object {
  return {
    ...status,
    conditions: status?.conditions?.map(({ lastTransitionTime: _, ...said }) => said),
  };
}
