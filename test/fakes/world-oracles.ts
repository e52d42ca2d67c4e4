import type { Environment, EnvironmentSpec } from "../../operator/api/environment.ts";
import type { Run } from "../../operator/api/run.ts";
import { ENVIRONMENTS, RUNS } from "../../operator/cluster/resources.ts";
import { dependenciesOf } from "../../operator/environment/graph.ts";
import { isClosed } from "../../operator/environment/observation.ts";
import type { Clock } from "../../operator/loop/clock.ts";
import { readJournal } from "../../operator/storage/journal.ts";
import { type Leftover, leftoversOf } from "../../operator/storage/leftovers.ts";
import { type ComponentRecord, type StateKey, stateKeyText } from "../../operator/storage/record.ts";
import { readState } from "../../operator/storage/versions.ts";
import type { ApiEvent, WorldApi } from "./world-api.ts";
import type { StaysAwake } from "./world-awake.ts";
import { asOfNight, asScaled } from "./world-calendar.ts";
import type { Cloud } from "./world-cloud.ts";
import { expectedOf, type SpecHistory } from "./world-expectation.ts";
import type { Hands } from "./world-hands.ts";
import { readStateBytes } from "./world-module.ts";
import type { WorldStore } from "./world-store.ts";
import { triesOracle } from "./world-tries.ts";

export interface OracleParts {
  readonly api: WorldApi;
  readonly store: Pick<WorldStore, "memory" | "versions">;
  readonly cloud: Cloud;
  readonly clock: Pick<Clock, "now">;
  readonly history: SpecHistory;
  readonly hands: Hands;
  readonly staysAwake: StaysAwake;
  readonly violated: (what: string) => void;
}

export interface Oracles {
  /** A pod was killed while its engine was writing for this Run. */
  cutOff(run: string): void;
  /** To be asked after every step of the world. */
  check(): Promise<void>;
}

/** The promises, each measured against what really happened and not against what the product believes. */
export function createOracles({
  api,
  store,
  cloud,
  clock,
  history,
  hands,
  staysAwake,
  violated,
}: OracleParts): Oracles {
  const cut = new Set<string>();
  const closed: Run[] = [];
  const gone: Environment[] = [];
  const everyRun = new Map<string, Run>();
  const records = (): readonly ComponentRecord[] => store.versions.at(-1) ?? [];
  const byName = byNameOf(records);
  const recordOf = (key: StateKey): ComponentRecord | undefined => byName().get(stateKeyText(key));
  const tries = triesOracle({ api, history, hands, recordOf, violated });
  const live = (key: StateKey) => cloud.objects(key).filter(({ id }) => !cloud.abandoned().has(id));

  api.onEvent((event) => {
    if (event.plural === ENVIRONMENTS.plural) aboutEnvironment(event);
    if (event.plural === RUNS.plural) aboutRun(event);
  });

  function aboutEnvironment({ old, now }: ApiEvent): void {
    if (now !== undefined) history.note(now as unknown as Environment);
    else gone.push(old as unknown as Environment);
  }

  function aboutRun({ old, now }: ApiEvent): void {
    const run = now as Run | undefined;
    if (run === undefined) return;
    if (old === undefined && isOfTheLiving(run)) born(run);
    const began = run.status?.applyStartedAt !== undefined && old?.status?.applyStartedAt === undefined;
    if (began && !isOfTheLiving(run)) violated(`I3: ${run.metadata.name} applies for an Environment that is gone`);
    everyRun.set(run.metadata.uid, run);
    if (isClosed(run) && !(old !== undefined && isClosed(old as unknown as Run))) closed.push(run);
  }

  /** Whoever sees only the past may make a Run for an Environment that is gone by now. It is nobody's try, and must come to nothing. */
  const isOfTheLiving = ({ metadata: { namespace }, spec: { environment } }: Run): boolean =>
    api.find(ENVIRONMENTS.plural, namespace, environment.name)?.metadata.uid === environment.uid;

  function born(run: Run): void {
    const isLook = ({ spec }: Run) => spec.operation === "Check";
    const before = [...everyRun.values()]
      .filter((other) => isLook(other) === isLook(run))
      .filter(({ metadata, spec }) => spec.component === run.spec.component && sameOwner(metadata, run, spec))
      .sort((a, b) => b.spec.number - a.spec.number);
    if (isLook(run)) {
      looksOnce(run, before);
      return;
    }
    if (run.spec.operation === "Apply") {
      needsAreMet(run);
      mayFollow(run, before);
    } else usersAreGone(run);
    tries.isNew(run, before);
  }

  function looksOnce(run: Run, before: readonly Run[]): void {
    const name = `Check ${run.spec.component} #${run.spec.number}`;
    const spec = history.at(run.spec.environment.uid, run.spec.environment.generation);
    const declared = spec?.components.find((component) => component.name === run.spec.component);
    if ((declared?.drift ?? spec?.drift)?.interval === undefined)
      violated(`drift: ${name} looks, and nobody asked for it`);
    const key = {
      namespace: run.metadata.namespace,
      environment: run.spec.environment.name,
      component: run.spec.component,
    };
    if (recordOf(key)?.applied === undefined) violated(`drift: ${name} looks at what was never applied`);
    const open = before.find(
      (other) => !isClosed(other) && api.find(RUNS.plural, other.metadata.namespace, other.metadata.name),
    );
    if (open !== undefined) violated(`drift: ${name} is made while #${open.spec.number} has not ended`);
  }

  const sameOwner = (metadata: Run["metadata"], run: Run, spec: Run["spec"]) =>
    metadata.namespace === run.metadata.namespace && spec.environment.uid === run.spec.environment.uid;

  function needsAreMet(run: Run): void {
    const { environment, component, inputs } = run.spec;
    const spec = history.at(environment.uid, environment.generation);
    if (spec === undefined) violated(`${run.metadata.name} acts upon a generation that never was`);
    if (spec === undefined) return;
    for (const needed of inputs.dependsOn) {
      const key = { namespace: run.metadata.namespace, environment: environment.name, component: needed };
      const there = cloud
        .asApplied(key)
        .filter(({ id }) => !cloud.abandoned().has(id))
        .map(({ address, content }) => `${address}=${content}`);
      const isThere = declaredFor(run, needed, spec).some((declared) => {
        const expected = expectedOf(declared, needed);
        const wanted = [...(expected?.resources ?? [])].map(([address, content]) => `${address}=${content}`);
        return expected !== undefined && there.toSorted().join() === wanted.toSorted().join();
      });
      if (!isThere)
        violated(`order: ${component} starts (generation ${environment.generation}) before ${needed} is applied`);
    }
  }

  /**
   * As what a Run needs may be there: what is used by a component that stays awake is scaled for the night, or stays awake as well. What stays awake
   * for a component that would be destroyed at night does so for all its other users, too.
   */
  function declaredFor(run: Run, needed: string, spec: EnvironmentSpec): readonly EnvironmentSpec[] {
    const nowMs = clock.now().getTime();
    const { environment, component, cause } = run.spec;
    if (staysAwake(environment.uid, component)) return [asScaled(spec, nowMs), spec];
    const ofNight = cause.type === "Recovery" ? asScaled(spec, nowMs) : asOfNight(spec, nowMs);
    const destroyed = new Set(spec.components.filter(({ sleep }) => sleep?.destroy === true).map(({ name }) => name));
    return staysAwake(environment.uid, needed, (name) => destroyed.has(name)) ? [ofNight, spec] : [ofNight];
  }

  /**
   * Destroying goes against the arrows: whoever used this at its last attempt has nothing left. Where only the order was declared anew since,
   * that order holds.
   */
  function usersAreGone({ spec, metadata }: Run): void {
    const declared = history.at(spec.environment.uid, spec.environment.generation)?.components ?? [];
    const isMereOrder = (record: ComponentRecord): boolean => {
      const user = declared.find(({ name }) => name === record.key.component);
      const { variables = [] } = (record.attempted ?? record.applied)?.inputs ?? {};
      const isUsed = variables.some(({ valueFrom }) => valueFrom?.output?.component === spec.component);
      return user !== undefined && !isUsed && !dependenciesOf(user).has(spec.component);
    };
    const own = { namespace: metadata.namespace, environment: spec.environment.name, component: spec.component };
    const needsOf = (record: ComponentRecord | undefined) =>
      (record?.attempted ?? record?.applied)?.inputs.dependsOn ?? [];
    for (const record of records()) {
      const { key, owner, ownership } = record;
      if (owner.environmentUid !== spec.environment.uid || ownership === "Released") continue;
      const mutual = needsOf(recordOf(own)).includes(key.component);
      const uses = needsOf(record).includes(spec.component) && !isMereOrder(record);
      if (uses && !mutual && live(key).length > 0)
        violated(`order: ${spec.component} is destroyed before ${key.component}, which uses it`);
    }
  }

  /** Nothing is done on top of an apply that was cut off before a person has looked: one who asked, or one who is to approve the plan. */
  function mayFollow(run: Run, before: readonly Run[]): void {
    const last = before.find(
      ({ metadata, status }) =>
        cut.has(metadata.name) || status?.applyStartedAt !== undefined || status?.phase === "Succeeded",
    );
    if (last === undefined) return;
    const key = {
      namespace: run.metadata.namespace,
      environment: run.spec.environment.name,
      component: run.spec.component,
    };
    const reported = recordOf(key)?.lastResult?.runUid === last.metadata.uid;
    const interrupted =
      last.spec.operation === "Apply" &&
      (last.status?.phase === "Interrupted" || (cut.has(last.metadata.name) && !reported));
    const wasRequested = run.spec.request !== undefined && run.spec.request !== last.spec.request;
    const waitsForPeople =
      (run.spec.rules?.approval?.required ?? 0) > 0 && run.spec.rules?.approval?.unless === undefined;
    if (interrupted && !wasRequested && !waitsForPeople)
      violated(`interrupted: ${run.metadata.name} repeats ${last.metadata.name}, and nobody asked`);
  }

  /** I2: what exists is in the state, or by name in the journal of the Run that was cut off. */
  async function accountsFor(run: Run): Promise<void> {
    if (run.spec.operation === "Check") return;
    const key = {
      namespace: run.metadata.namespace,
      environment: run.spec.environment.name,
      component: run.spec.component,
    };
    if (cloud.writers().some((writer) => writer.key === stateKeyText(key)))
      violated(`I1: ${run.metadata.name} is closed while an engine still writes`);
    const record = recordOf(key);
    const state = record === undefined ? undefined : await readState(store.memory, record);
    const known = new Set(state === undefined ? [] : [...readStateBytes(state).things.values()].map(({ id }) => id));
    const strays = live(key).filter(({ id }) => !known.has(id));
    if (strays.length === 0) return;
    const left = record === undefined ? [] : await leftBy(record, run.metadata.name);
    for (const { id, address, run: maker } of strays) {
      const named = left.some((one) => one.address === address && (one.id === undefined || one.id === id));
      const told = maker === run.metadata.name && cut.has(maker) && named;
      if (told) cloud.abandon(id);
      else violated(`I2: ${address} of ${maker} is in no state and no journal when ${run.metadata.name} closes`);
    }
  }

  async function leftBy(record: ComponentRecord, run: string): Promise<readonly Leftover[]> {
    const entries = await readJournal(store.memory, record, record.journal);
    return leftoversOf(store.memory, record, { run, entries, isCutOff: true });
  }

  function leavesNothing({ metadata }: Environment): void {
    const prefix = `${metadata.namespace}/${metadata.name}/`;
    for (const object of cloud.objects().filter(({ key }) => key.startsWith(prefix))) {
      if (cloud.abandoned().has(object.id)) continue;
      if (byName().get(object.key)?.ownership !== "Released")
        violated(`I3: ${object.address} of ${object.key} is orphaned: the Environment is gone`);
    }
  }

  /** Whatever exists has a record that says so. */
  function isRecorded(): void {
    for (const { id, key, address } of cloud.objects()) {
      if (cloud.abandoned().has(id)) continue;
      const record = byName().get(key);
      if (record === undefined) violated(`I3: ${address} of ${key} exists, and there is no record of it`);
      else if (!record.mayHoldObjects)
        violated(`I3: ${address} of ${key} exists, and its record says that nothing does`);
    }
  }

  return {
    cutOff: (run) => void cut.add(run),
    async check() {
      isRecorded();
      for (const run of closed.splice(0)) await accountsFor(run);
      for (const environment of gone.splice(0)) leavesNothing(environment);
    },
  };
}

/** The newest records by the text of their keys: asked for every thing after every step, and changed by few of them. */
function byNameOf(records: () => readonly ComponentRecord[]): () => ReadonlyMap<string, ComponentRecord> {
  let of: readonly ComponentRecord[] | undefined;
  let byName: ReadonlyMap<string, ComponentRecord> = new Map();
  return () => {
    const newest = records();
    if (newest !== of) byName = new Map(newest.map((record) => [stateKeyText(record.key), record]));
    of = newest;
    return byName;
  };
}
