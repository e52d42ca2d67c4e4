import type { ApprovalSpec } from "../../operator/api/approval.ts";
import type { Component } from "../../operator/api/component.ts";
import type { Environment, EnvironmentSpec } from "../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../operator/api/names.ts";
import { requiredFor } from "../../operator/api/rules-for-plan.ts";
import type { Run } from "../../operator/api/run.ts";
import { podInQuestion, saidDead } from "../../operator/api/said-dead.ts";
import type { KubeObject, Stored } from "../../operator/cluster/ports.ts";
import { APPROVALS, ENVIRONMENTS, PODS, RUNS } from "../../operator/cluster/resources.ts";
import { stateKeyText } from "../../operator/storage/record.ts";
import { aComponent, anEnvironment } from "./objects.ts";
import type { World } from "./world.ts";
import { declaredAt, endOf } from "./world-calendar.ts";
import { expectedOf } from "./world-expectation.ts";

const NAMESPACE = "team";
const NAME = "shop";

type Edited = Environment & KubeObject;

/** A request gets over these. */
const STUCK: readonly string[] = ["Rejected", "Interrupted", "RetriesExhausted", "ApplyFailed", "Cancelled"];

/** A component that takes the outputs of those that it needs, and comes after others of which it takes none. */
export function aModule(
  name: string,
  needs: readonly string[] = [],
  given: Readonly<Record<string, unknown>> = {},
  after: readonly string[] = [],
): Component {
  const values = Object.entries({ value: "v1", ...given }).map(([key, value]) => ({
    name: key,
    value: value as never,
  }));
  const outputs = needs.map((needed) => ({
    name: `from_${needed}`,
    valueFrom: { output: { component: needed, name: "id" } },
  }));
  const terraform = { path: ".", variables: [...values, ...outputs] };
  return aComponent(name, { terraform, ...(after.length === 0 ? {} : { needs: after }) });
}

/** What people do to the one Environment of a story, and whether they got what they asked for. */
export function people(world: World) {
  const { api, cloud } = world;
  const find = () => world.environment(NAMESPACE, NAME);
  const exists = () => find() !== undefined;
  let requests = 0;
  let words = 0;
  const change = (edit: (environment: Stored<Edited>) => object): void => {
    if (exists()) api.edit<Edited>(ENVIRONMENTS, NAMESPACE, NAME, edit);
  };
  const annotate = (annotations: Readonly<Record<string, string>>): void =>
    change((old) => ({
      ...old,
      metadata: { ...old.metadata, annotations: { ...old.metadata.annotations, ...annotations } },
    }));
  const editSpec = (edit: (spec: EnvironmentSpec) => EnvironmentSpec): void =>
    change((old) => ({ ...old, spec: edit(old.spec) }));
  const setVariable = (
    spec: EnvironmentSpec,
    component: string,
    variable: string,
    value: unknown,
  ): EnvironmentSpec => ({
    ...spec,
    components: spec.components.map((one) =>
      one.name !== component
        ? one
        : {
            ...one,
            terraform: {
              ...one.terraform,
              variables: [
                ...(one.terraform.variables ?? []).filter(({ name }) => name !== variable),
                { name: variable, value: value as never },
              ],
            },
          },
    ),
  });
  const runs = () => api.all<Run & KubeObject>(RUNS.plural);
  const isKept = (key: string): boolean =>
    world.store.memory.records().some((record) => stateKeyText(record.key) === key && record.ownership === "Released");
  const conditionOf = (type: string) => find()?.status?.conditions?.find((condition) => condition.type === type);

  const acts = {
    find,
    exists,
    runs,
    create(components: readonly Component[], spec: Partial<EnvironmentSpec> = {}): void {
      const { metadata, ...rest } = anEnvironment(components, { spec });
      const { name, namespace } = metadata;
      world.tell("person: creates the Environment");
      api.create(ENVIRONMENTS, { ...rest, metadata: { name, namespace, finalizers: [] } } as unknown as KubeObject);
    },
    set(component: string, variable: string, value: unknown): void {
      world.tell(`person: sets ${variable} of ${component} to ${value}`);
      editSpec((spec) => setVariable(spec, component, variable, value));
    },
    editSpec,
    overrideWindows(reason: string): void {
      world.tell(`person: overrides the windows: ${reason}`);
      annotate({ [ANNOTATIONS.windowOverride]: reason });
    },
    extendUntil(moment: Date): void {
      world.tell(`person: extends the life until ${moment.toISOString()}`);
      annotate({ [ANNOTATIONS.extendUntil]: moment.toISOString() });
    },
    remove(component: string): void {
      world.tell(`person: removes ${component}`);
      editSpec((spec) => ({ ...spec, components: spec.components.filter(({ name }) => name !== component) }));
    },
    suspend(suspend: boolean): void {
      world.tell(suspend ? "person: suspends" : "person: resumes");
      editSpec((spec) => ({ ...spec, suspend }));
    },
    request(): void {
      requests += 1;
      world.tell(`person: requests ${requests}`);
      annotate({ [ANNOTATIONS.requestedAt]: `request-${requests}` });
    },
    /** Edits a real thing of a component by hand, or deletes it; gives what undoes that. */
    tamper(component: string, how: "edit" | "delete" = "edit"): () => void {
      world.tell(`person: ${how}s a thing of ${component} by hand`);
      const key = { namespace: NAMESPACE, environment: NAME, component };
      const [thing] = cloud.objects(key).filter(({ id }) => !cloud.abandoned().has(id));
      return thing === undefined ? () => {} : cloud.tamper(thing.id, how === "edit" ? "by hand" : undefined);
    },
    pushState: (component: string): void => world.hands.push({ namespace: NAMESPACE, environment: NAME, component }),
    /** Of Runs that are open, most of the time; a wish that comes too late is no harm. */
    cancel(run: Run | undefined): void {
      if (run === undefined) return;
      world.tell(`person: cancels ${run.metadata.name}`);
      annotate({ [ANNOTATIONS.cancel]: run.metadata.name });
    },
    confirmDestroy(...components: readonly string[]): void {
      annotate({ [ANNOTATIONS.confirmDestroy]: components.join(",") });
    },
    confirmDead(run: Run, podUid: string): void {
      world.tell(`person: confirms that pod ${podUid} of ${run.metadata.name} is dead`);
      api.edit<Run & KubeObject>(RUNS, run.metadata.namespace, run.metadata.name, (old) => ({
        ...old,
        metadata: { ...old.metadata, annotations: { ...old.metadata.annotations, [ANNOTATIONS.confirmDead]: podUid } },
      }));
    },
    /** Says yes or no to a Run's plan, or to something else where `about` says so. */
    say(decision: "Approve" | "Reject", approver: string, run: Run, about: Partial<ApprovalSpec> = {}): void {
      words += 1;
      world.tell(
        `person: ${approver} says ${decision} to ${run.metadata.name}${Object.keys(about).length === 0 ? "" : ", about something else"}`,
      );
      const planDigest = run.status?.plan?.digest ?? "sha256:none";
      const { name, uid } = run.metadata;
      const spec = { environment: NAME, run: { name, uid }, planDigest, decision, approver, ...about };
      api.create(APPROVALS, { metadata: { name: `word-${words}`, namespace: NAMESPACE }, spec } as KubeObject);
    },
    waiting: () => runs().filter(({ status }) => status?.phase === "AwaitingApproval"),
    delete(): void {
      world.tell("person: deletes the Environment");
      api.delete(ENVIRONMENTS, NAMESPACE, NAME, undefined);
    },
    conditionOf,
    /** What exists of the Environment, apart from leftovers of killed engines and from what was kept on purpose. */
    things: () =>
      cloud
        .objects()
        .filter(({ id, key }) => !cloud.abandoned().has(id) && !isKept(key))
        .map(({ key, address, content }) => `${key} ${address}=${content}`)
        .toSorted(),
    /** What should exist, worked out from the spec. */
    wanted(): readonly string[] {
      const environment = find();
      if (environment === undefined) return [];
      const spec = declaredAt(environment, world.clock.now().getTime());
      return spec.components
        .flatMap(({ name }) => {
          const key = stateKeyText({ namespace: NAMESPACE, environment: NAME, component: name });
          return [...(expectedOf(spec, name)?.resources ?? [])].map(
            ([address, content]) => `${key} ${address}=${content}`,
          );
        })
        .toSorted();
    },
    isReady(): boolean {
      const environment = find();
      return (
        environment?.status?.observedGeneration === environment?.metadata.generation &&
        conditionOf("Ready")?.status === "True"
      );
    },
    /** Its life is over: nothing should be there any more. */
    isOver(): boolean {
      const environment = find();
      return environment !== undefined && world.clock.now().getTime() >= endOf(environment);
    },
    /** The status says that its life is over, and nothing is left. */
    hasEnded(): boolean {
      const environment = find();
      const isSeen = environment?.status?.observedGeneration === environment?.metadata.generation;
      return isSeen && conditionOf("Ready")?.reason === "Expired" && conditionOf("Reconciling")?.status === "False";
    },
    /** Does what the status asks of a person; false where it asks for nothing. */
    help(): boolean {
      const environment = find();
      if (environment === undefined) return false;
      if (environment.spec.suspend) {
        acts.suspend(false);
        return true;
      }
      const broken = environment.spec.components.find((component) =>
        component.terraform.variables?.some(({ name, value }) => name === "mode" && value !== "good"),
      );
      if (broken !== undefined && environment.metadata.deletionTimestamp === undefined) {
        acts.set(broken.name, "mode", "good");
        return true;
      }
      return helpPlans() || helpRuns() || helpComponents(environment);
    },
  };

  /** As many different people as are asked for read the plan and agree, one after the other. */
  function helpPlans(): boolean {
    for (const run of acts.waiting()) {
      const said = api
        .all<KubeObject & { readonly spec: ApprovalSpec }>(APPROVALS.plural)
        .filter(({ spec }) => spec.run.uid === run.metadata.uid && spec.planDigest === run.status?.plan?.digest)
        .map(({ spec }) => spec.approver);
      const next = ["ann", "bob", "eve"].find((person) => !said.includes(person));
      if (next === undefined || said.length >= requiredFor(run.spec.rules, run.status?.plan?.counts)) continue;
      acts.say("Approve", next, run);
      return true;
    }
    return false;
  }

  function helpRuns(): boolean {
    for (const run of runs()) {
      const reason = run.status?.conditions?.find(({ type }) => type === "Succeeded")?.reason;
      const asked = podInQuestion(run);
      if (reason !== "ProofOfDeathMissing" || asked === undefined || saidDead(run) === asked) continue;
      // Also one that the Run does not know of: whoever confirms has looked.
      const claims = world.store.memory.records().flatMap(({ claim }) => claim ?? []);
      const claimed = claims.filter(({ runUid }) => runUid === run.metadata.uid).map(({ podUid }) => podUid);
      const recorded = (run.status?.pods ?? []).map(({ uid }) => uid);
      for (const uid of [...recorded, ...claimed]) world.kubelet.kill(uid, "switched off by a person");
      acts.confirmDead(run, asked);
      return true;
    }
    return false;
  }

  function helpComponents(environment: Environment): boolean {
    const lines = environment.status?.components ?? [];
    const unconfirmed = lines.filter(({ reason }) => reason === "RemovalNeedsConfirmation").map(({ name }) => name);
    const confirmed = (environment.metadata.annotations?.[ANNOTATIONS.confirmDestroy] ?? "").split(",");
    if (unconfirmed.some((name) => !confirmed.includes(name))) {
      world.tell(`person: confirms the removal of ${unconfirmed.join(", ")}`);
      acts.confirmDestroy(...unconfirmed, ...confirmed);
      return true;
    }
    const left = lines.filter(({ reason }) => reason === "LeftBehind").flatMap(({ interrupted }) => interrupted ?? []);
    const seenTo = (environment.metadata.annotations?.[ANNOTATIONS.confirmGone] ?? "").split(",");
    if (left.some((run) => !seenTo.includes(run))) {
      world.tell(`person: sees to what ${left.join(", ")} had begun`);
      annotate({ [ANNOTATIONS.confirmGone]: [...left, ...seenTo].join(",") });
      return true;
    }
    const stuck = lines.some(({ reason }) => STUCK.includes(reason ?? ""));
    const owner = lines.find(({ reason }) => reason === "StateOwnedByOther");
    if (owner !== undefined) {
      const record = world.store.memory.records().find(({ key }) => key.component === owner.name);
      const uid = record?.owner.environmentUid ?? "";
      if (environment.spec.adopt?.uid === uid) return false;
      world.tell(`person: adopts ${uid}`);
      editSpec((spec) => ({ ...spec, adopt: { uid } }));
      return true;
    }
    if (stuck) acts.request();
    return stuck;
  }

  return { ...acts, pods: () => api.all(PODS.plural) };
}

export type People = ReturnType<typeof people>;
