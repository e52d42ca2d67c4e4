import assert from "node:assert/strict";
import type { Environment } from "../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../operator/api/names.ts";
import type { Run } from "../../operator/api/run.ts";
import type { Secret } from "../../operator/cluster/kinds.ts";
import type { KubeObject } from "../../operator/cluster/ports.ts";
import { APPROVALS, ENVIRONMENTS, SECRETS } from "../../operator/cluster/resources.ts";
import { until } from "../apiserver/engine-server.ts";
import { anEnvironment } from "../fakes/objects.ts";
import { openPlace, type Place, type Trouble } from "./place.ts";
import type { Stage } from "./stage.ts";

/** What a story came to: equal for every telling of it, whatever went wrong. */
export interface Ending {
  /** Runs and pods that were ever made. */
  readonly runs: number;
  readonly pods: number;
  /** Everything that engines did, in order. */
  readonly ledger: readonly string[];
  readonly writes: number;
  readonly log: readonly string[];
  /** The same of the gateway. */
  readonly gateway: Pick<Ending, "writes" | "log">;
  readonly told: readonly string[];
  /** Requests that an outage stopped. */
  readonly turnedAway: number;
}

export type Story = (trouble?: Trouble) => Promise<Ending>;

const NAME = "shop";

/** Created, applied; changed, applied; deleted, gone. */
export const life: Story = (trouble = {}) => inPlace(trouble, live);

export async function live(place: Place): Promise<void> {
  await createEnvironment(place);
  await isApplied(place, 1);
  assert.equal(place.engines.things().length, 2);
  await change(place);
  await isApplied(place, 2);
  await place.awaited("each Run shows the plan that it applied", () => place.view.runs().every(showsItsPlan));
  await deleteEnvironment(place);
  await isGone(place);
  assert.deepEqual(place.engines.things(), []);
}

const showsItsPlan = ({ status }: Run): boolean =>
  status?.plan?.verdict === "Apply" && status.applyStartedAt !== undefined;

/** An apply is cut off after its first change; a person looks at the plan for the rest, and approves it; then all is there. */
export const interruption: Story = (trouble = {}) =>
  inPlace({ ...trouble, podDiesAt: (changes) => changes === 1 }, async (place) => {
    const component = () => find(place)?.status?.components?.[0];
    await createEnvironment(place);
    await place.awaited("the plan for the rest waits", () => component()?.state === "AwaitingApproval");
    const [cut, rest] = place.view.runs().toSorted((a, b) => a.spec.number - b.spec.number);
    assert.deepEqual([cut?.status?.phase, rest?.spec.cause.type], ["Interrupted", "Recovery"]);
    assert.equal(rest?.status?.applyStartedAt, undefined, "nothing is repeated by itself");
    await approve(place, rest);
    await place.awaited("it is applied", () => component()?.state === "Ready");
    await deleteEnvironment(place);
    await isGone(place);
  });

/** Tells what happens in a place of its own; whoever reads of a failure sees the end of the story, too. */
export async function inPlace(
  trouble: Trouble,
  happens: (place: Place) => Promise<void>,
  stage?: Stage,
): Promise<Ending> {
  const place = await openPlace(trouble, stage);
  try {
    await happens(place);
    const { engines, view, told } = place;
    const ledger = anonymous(engines.ledger());
    place.unbroken();
    const counts = { writes: place.writes(), turnedAway: place.turnedAway() };
    const gateway = { writes: place.gateway.writes(), log: place.gateway.log() };
    return { ...view.everMade(), ledger, ...counts, log: place.log(), gateway, told };
  } catch (error) {
    const { runs, environment, pods } = place.view;
    const seen = [environment(NAME), ...runs(), ...pods()].map((object) => JSON.stringify(object?.status ?? object));
    // What was seen comes first: where a long failure is cut, it is cut at its end.
    const story = [seen, place.told, place.log(), place.gateway.log()].flatMap((lines) => ["", ...lines.slice(-40)]);
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${story.join("\n")}`);
  } finally {
    await place.close();
  }
}

/** Runs have other names in each telling. */
const anonymous = (ledger: readonly string[]): readonly string[] =>
  ledger.map((line) => line.replace(/(shop-[a-z]+)-[0-9a-f]{8}/, "$1"));

export async function createEnvironment({ client, namespace, engines }: Place): Promise<void> {
  const { source, components } = engines.spec(1);
  const { metadata, spec } = anEnvironment(components, { spec: { source } });
  await client.create(ENVIRONMENTS, { metadata: { name: metadata.name, namespace }, spec } as unknown as KubeObject);
}

export async function change({ client, namespace, engines }: Place): Promise<void> {
  await client.mergePatch(ENVIRONMENTS, namespace, NAME, { spec: engines.spec(2) });
}

export async function request({ client, namespace }: Place): Promise<void> {
  const annotations = { [ANNOTATIONS.requestedAt]: "now" };
  await client.mergePatch(ENVIRONMENTS, namespace, NAME, { metadata: { annotations } });
}

export async function approve({ client, namespace }: Place, run: Run | undefined): Promise<void> {
  assert.ok(run?.status?.plan !== undefined, "there is a plan to approve");
  const { name, uid } = run.metadata;
  const planDigest = run.status.plan.digest;
  const spec = { environment: NAME, run: { name, uid }, planDigest, decision: "Approve", approver: "ann" };
  await client.create(APPROVALS, { metadata: { name: `yes-to-${name}`, namespace }, spec } as unknown as KubeObject);
}

export const deleteEnvironment = ({ client, namespace }: Place): Promise<unknown> =>
  client.delete(ENVIRONMENTS, namespace, NAME);

export const find = ({ view }: Place): Environment | undefined => view.environment(NAME);

export const isApplied = (place: Place, generation: number): Promise<void> =>
  place.awaited(`generation ${generation} is applied`, () => {
    const { status, metadata } = find(place) ?? {};
    const condition = status?.conditions?.find(({ type }) => type === "Ready");
    return (
      metadata?.generation === generation && status?.observedGeneration === generation && condition?.status === "True"
    );
  });

/** With everything that was made for it. */
export async function isGone(place: Place): Promise<void> {
  const { view, client, home } = place;
  await place.awaited("the Environment is gone", () => find(place) === undefined);
  await place.awaited("Runs and pods are gone", () => view.runs().length + view.pods().length === 0);
  const records = { namespace: home, labelSelector: "terrarium.dev/stored=record" };
  await until("records are gone", async () => (await client.list<Secret>(SECRETS, records)).items.length === 0);
}
