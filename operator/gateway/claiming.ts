import type { Environment } from "../api/environment.ts";
import { LABELS } from "../api/names.ts";
import type { Run } from "../api/run.ts";
import type { RunOutcome } from "../api/run-status.ts";
import type { KubeObject } from "../cluster/ports.ts";
import { ENVIRONMENTS, RUNS } from "../cluster/resources.ts";
import { mayExist } from "../run/witness.ts";
import { changeRecord } from "../storage/change.ts";
import { claim } from "../storage/claims.ts";
import { ensureRecord } from "../storage/ownership.ts";
import { type StateKey, stateKeyText } from "../storage/record.ts";
import { isRefused, Refused } from "../storage/refusal.ts";
import { authenticate } from "./authentication.ts";
import { orderForCheck } from "./check.ts";
import type { GatewayContext } from "./context.ts";
import type { ClaimRequest, WorkOrder } from "./protocol.ts";
import { conclude } from "./results.ts";
import type { Session } from "./sessions.ts";
import { StateOwnedByOther } from "./state-owned.ts";
import { type ResolvedVariables, resolveVariables, workOrderFor } from "./work-order.ts";

/** A pod's first contact: who is it, may it, is it the only one; and then what it has to do. */
export async function claimWork(
  context: GatewayContext,
  token: string,
  request: ClaimRequest,
  signal: AbortSignal,
): Promise<WorkOrder> {
  const { store, ring, clock } = context;
  const { session, run } = await authenticate(context, token, request, signal);
  if (session.operation === "Check") return orderForCheck(context, session, run, signal);
  await mustOwn(context, session, signal);
  const resolved = await variablesOf(context, session, run, signal);
  const used = resolved instanceof Refused ? [] : resolved.used;
  const { after, answer } = await changeRecord(
    store,
    session.key,
    (record) => claim(record, session, clock.now(), used),
    signal,
  );
  const order = { record: after.value, claim: answer };
  if (!(resolved instanceof Refused))
    return workOrderFor(ring, session, run, { ...order, variables: resolved.variables });
  // An agent that was restarted after its apply began only reports how that ended: for this it needs no values.
  if (answer.applying !== undefined) return workOrderFor(ring, session, run, { ...order, variables: [] });
  return giveUp(context, session, resolved, signal);
}

async function mustOwn(context: GatewayContext, session: Session, signal: AbortSignal) {
  const { store, clock } = context;
  const { key, environmentUid } = session;
  const beforeMaking = () => mustNotBeLost(context, session, signal);
  const options = { signal, beforeMaking, now: () => clock.now() };
  let ownership = await ensureRecord(store, key, environmentUid, options);
  if (ownership.type === "ownedByOther") {
    const adoptUid = await adoptedUid(context, key, environmentUid, signal);
    if (adoptUid === ownership.uid)
      ownership = await ensureRecord(store, key, environmentUid, { ...options, adoptUid });
  }
  const name = stateKeyText(key);
  switch (ownership.type) {
    case "owned":
      return;
    case "ownedByOther":
      throw new StateOwnedByOther(`the state of ${name} belongs to the Environment with UID ${ownership.uid}`);
    case "inUse":
      throw new Refused("InUse", `the state of ${name} is in use by Run ${ownership.run} of its former owner`);
    case "moving":
      throw new Refused("Moving", `the state of ${name} is being renamed to ${ownership.to}`);
  }
}

/** An empty record in the place of one that was lost would say that nothing is left to destroy, or that nothing has been made. */
async function mustNotBeLost({ client }: GatewayContext, session: Session, signal: AbortSignal): Promise<void> {
  const { key, environmentUid, operation, number } = session;
  if (operation === "Apply") {
    // The first one of a name has none before it.
    if (number === 1) return;
    const labelSelector = `${LABELS.environmentUid}=${environmentUid}`;
    const { items } = await client.listAll<Run & KubeObject>(RUNS, { namespace: key.namespace, labelSelector, signal });
    if (!mayExist(items, key.component)) return;
  }
  throw new Refused(
    "NotFound",
    `there is no record of ${stateKeyText(key)}: restore it from a backup, or push a state`,
  );
}

/** Whose states the Environment takes over, by its spec. */
async function adoptedUid({ client }: GatewayContext, key: StateKey, environmentUid: string, signal: AbortSignal) {
  const found = await client.find<Environment>(ENVIRONMENTS, key.namespace, key.environment, { signal });
  return found?.metadata.uid === environmentUid ? found.spec.adopt?.uid : undefined;
}

/** What is wrong with an output is kept for later: the claim comes first, so that only the one pod of the Run can end it. */
async function variablesOf(
  { store, ring }: GatewayContext,
  session: Session,
  run: Run,
  signal: AbortSignal,
): Promise<ResolvedVariables | Refused> {
  if (session.operation === "Destroy") return { variables: [], used: [] };
  try {
    return await resolveVariables(store, ring, session, run.spec.inputs, signal);
  } catch (error) {
    if (isRefused(error, "OutputMissing", "OutputsUnsettled")) return error;
    throw error;
  }
}

/** Without a work order the pod has no session, so its result is recorded here. */
async function giveUp(context: GatewayContext, session: Session, why: Refused, signal: AbortSignal): Promise<never> {
  const message = why.message.slice(0, 1024);
  const outcome: RunOutcome =
    why.code === "OutputsUnsettled"
      ? { result: "Waiting", reason: "Blocked", message }
      : { result: "Failed", reason: "OutputMissing", message, retry: "Never" };
  await conclude(context, session, { outcome, outputs: [] }, signal);
  throw why;
}
