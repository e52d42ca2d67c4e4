import { z } from "zod";
import type { Environment } from "../api/environment.ts";
import { LABELS } from "../api/names.ts";
import { isClosed, type Run } from "../api/run.ts";
import { sayDeadCommand } from "../api/said-dead.ts";
import type { KubeObject } from "../cluster/ports.ts";
import { RUNS } from "../cluster/resources.ts";
import { type Hand, pushState, restoreState, unlockedByHand, type WritingHand } from "../storage/by-hand.ts";
import { changeRecord } from "../storage/change.ts";
import { holderOf, stateKeyText } from "../storage/record.ts";
import { type Answer, nameOf } from "./reading.ts";
import { environmentOf, recordFor, type StateRequest, tell } from "./requests.ts";
import { seenByRuns } from "./seen-by-runs.ts";
import { stateObject } from "./state-object.ts";
import { badRequest, notFound, StatusError } from "./status.ts";

export async function putContent(request: StateRequest): Promise<Answer> {
  const { context, key, body, query, signal } = request;
  const environment = await environmentOf(request);
  const first = await firstOwner(request, environment);
  const writing = { ...(await writingHand(request, environment, query.force === "true")), ...first };
  const record = await pushState(context.store, key, body, writing, signal);
  await tell(request, "StatePushed", `pushed the state of ${key.component} (serial ${record.state?.serial ?? 0})`);
  return { json: stateObject(record) };
}

const restoreBody = z.union([
  z.strictObject({ serial: z.int().min(0), force: z.boolean().optional() }),
  z.strictObject({ digest: z.string(), force: z.boolean().optional() }),
  z.strictObject({ recovery: z.literal(true), force: z.boolean().optional() }),
]);

export async function postRestore(request: StateRequest): Promise<Answer> {
  const { context, key, signal } = request;
  const { force = false, ...chosen } = parsed(request, restoreBody, '{"serial": N} or {"recovery": true}');
  const before = await recordFor(request);
  const writing = await writingHand(request, await environmentOf(request), force);
  const record = await restoreState(context.store, key, chosen, writing, signal);
  await tell(request, "StateRestored", `restored ${nameOf(before, chosen)}, now serial ${record.state?.serial ?? 0}`);
  return { json: stateObject(record), code: 201 };
}

export async function postUnlock(request: StateRequest): Promise<Answer> {
  const { context, key, signal } = request;
  const { lock } = parsed(request, z.strictObject({ lock: z.string().min(1) }), '{"lock": "ID"}');
  await mustHaveLostItsRun(request);
  const by = hand(request);
  const { after, answer } = await changeRecord(
    context.store,
    key,
    (record) => unlockedByHand(record, lock, by),
    signal,
  );
  await tell(
    request,
    "StateUnlocked",
    `released the ${answer.by} of ${key.component} that Run ${answer.run} (pod ${answer.pod}) held`,
  );
  return { json: stateObject(after.value), code: 201 };
}

const hand = ({ person, context }: StateRequest): Hand => ({ by: person.name, at: context.clock.now() });

/** Runs that are there by now know nothing of what is written. */
async function writingHand(
  request: StateRequest,
  environment: Environment | undefined,
  force: boolean,
): Promise<WritingHand> {
  const runs = environment === undefined ? [] : await runsOf(request, environment);
  const { component: name } = request.key;
  return { ...hand(request), force, ...seenByRuns(runs, { name, formerName: formerNameOf(environment, name) }) };
}

/** Of all components: which name a state had before, no label says. */
async function runsOf({ context, signal }: StateRequest, { metadata }: Environment): Promise<readonly Run[]> {
  const labelSelector = `${LABELS.environmentUid}=${metadata.uid}`;
  const options = { namespace: metadata.namespace, labelSelector, signal };
  return (await context.client.listAll<Run & KubeObject>(RUNS, options)).items;
}

/** Where its state comes from. Where another component has that name by now, it comes no more. */
function formerNameOf(environment: Environment | undefined, component: string): string | undefined {
  const { components = [] } = environment?.spec ?? {};
  const formerName = components.find(({ name }) => name === component)?.formerName;
  return components.some(({ name }) => name === formerName) ? undefined : formerName;
}

/** The first push for a component makes its record, in the name of the Environment that declares it. */
async function firstOwner(
  request: StateRequest,
  environment: Environment | undefined,
): Promise<Pick<WritingHand, "firstOwner">> {
  const { context, key, signal } = request;
  if ((await context.store.record(key, signal)) !== undefined) return {};
  if (!environment?.spec.components.some(({ name }) => name === key.component))
    throw notFound(`there is no state of ${stateKeyText(key)}, and no Environment that declares that component`);
  await mustNotBeExpected(request, environment);
  return { firstOwner: environment.metadata.uid };
}

/** The state of the former name comes under this one: another that is in its place would stay, and the one that comes would belong to nobody. */
async function mustNotBeExpected({ context, key, signal }: StateRequest, environment: Environment): Promise<void> {
  const formerName = formerNameOf(environment, key.component);
  if (formerName === undefined) return;
  const former = (await context.store.record({ ...key, component: formerName }, signal))?.value;
  if (former?.owner.environmentUid !== environment.metadata.uid) return;
  const hint = `wait until it is, or push the state of ${formerName}`;
  throw new StatusError(
    409,
    "Conflict",
    `the state of ${formerName} is about to be renamed to ${key.component}: ${hint}`,
  );
}

/**
 * As long as its Run is open, its pod's death is confirmed there, and all that follows from it. One that is closed hears nothing any more: it had
 * a result or a proof of death, or was kept from applying, and the record is from before that. What might be left of it is fenced by this.
 */
async function mustHaveLostItsRun(request: StateRequest): Promise<void> {
  const { context, key, signal } = request;
  const holder = holderOf(await recordFor(request));
  if (holder === undefined) return;
  const run = await context.client.find<Run>(RUNS, key.namespace, holder.run, { signal });
  if (run?.metadata.uid !== holder.runUid || isClosed(run)) return;
  const command = sayDeadCommand({ name: holder.run, namespace: key.namespace }, holder.podUid);
  throw new StatusError(
    409,
    "Conflict",
    `Run ${holder.run} holds the ${holder.by}. Make sure that pod ${holder.pod} is dead, then: ${command}`,
  );
}

/** `kubectl create --raw` adds nothing to a body; what others wrap around it is refused by name. */
function parsed<T>({ body }: StateRequest, schema: z.ZodType<T>, expected: string): T {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw badRequest(`the body is not JSON; expected is ${expected}`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw badRequest(`expected is ${expected}`);
}
