import { hash } from "node:crypto";
import type { RunOutcome } from "../../operator/api/run-status.ts";
import { CALLED_OFF, type WorkOrder } from "../../operator/gateway/protocol.ts";
import type { StateKey } from "../../operator/storage/record.ts";
import { aToken } from "./token.ts";
import { archiveOf, look, refreshed, reportOf } from "./world-check.ts";
import type { Cloud } from "./world-cloud.ts";
import type { Dice } from "./world-dice.ts";
import type { GatewayReply, WorldGateway } from "./world-gateway.ts";
import {
  type Change,
  deposed,
  type EngineState,
  emptyState,
  planOf,
  readStateBytes,
  stateBytes,
  variablesOf,
  wishOf,
} from "./world-module.ts";
import { Killed, type Mortal, type Turns } from "./world-turns.ts";

export interface AgentParts {
  readonly self: Mortal;
  readonly pod: { readonly uid: string; readonly name: string; readonly namespace: string; readonly run: string };
  /** The second pod of a Run applies what the first one planned. */
  readonly phase: "Plan" | "Apply";
  readonly gateway: WorldGateway;
  readonly gatewayIsAway: () => boolean;
  readonly cloud: Cloud;
  readonly turns: Turns;
  readonly dice: Dice;
  readonly now: () => Date;
  /** The pod was asked to end. */
  readonly ending: () => boolean;
  readonly violated: (what: string) => void;
  /** What is about to be applied: what people must have read and agreed to, byte for byte. */
  readonly onApply: (run: string, digest: string, work: string) => void;
}

/** The gateway said no for good. */
class RefusedByGateway extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

function resultOfRefusal(reason: string): RunOutcome["result"] {
  if (CALLED_OFF.includes(reason)) return "Cancelled";
  return reason === "Interrupted" ? "Interrupted" : "Failed";
}

type Outcome = Pick<RunOutcome, "result" | "reason" | "message" | "retry">;

const failed = (reason: string, message: string): Outcome => ({ result: "Failed", reason, message, retry: "Backoff" });

/** A runner pod's two programs in one: the same requests in the same order as the real agent and engine make them. */
export async function runAgent(parts: AgentParts): Promise<void> {
  const { pod, gateway, cloud } = parts;
  try {
    const claimed = await patiently(parts, "claim", () =>
      gateway.claim(aToken(pod.uid), pod.namespace, pod.run, parts.phase),
    );
    if (claimed.type !== "order") return;
    const talk = talkOf(parts, claimed.order);
    const { order } = claimed;
    const end = order.operation === "Check" ? await look(parts, talk) : { outcome: await attempt(parts, order, talk) };
    if (end.outcome !== "held") await talk("POST /v1/result", end);
  } catch (error) {
    if (!(error instanceof RefusedByGateway) && !(error instanceof Killed)) throw error;
  } finally {
    if (parts.self.alive) cloud.end(pod.uid);
  }
}

export type Talk = (request: string, body?: unknown, lockId?: string) => Promise<Buffer | undefined>;

function talkOf(parts: AgentParts, { session }: WorkOrder): Talk {
  return async (request, body, lockId) => {
    const reply = await patiently(parts, request, () => parts.gateway.send(session, request, body, lockId));
    if (reply.type !== "answer") return undefined;
    if (reply.answer.status === 423) throw new RefusedByGateway("Locked", "another Run holds the lock");
    if ("bytes" in reply.answer) return reply.answer.bytes;
    return "json" in reply.answer ? Buffer.from(JSON.stringify(reply.answer.json)) : undefined;
  };
}

/** Sends again until the gateway has answered: away costs waiting and nothing else. */
async function patiently(
  { turns, self, gatewayIsAway }: AgentParts,
  what: string,
  send: () => Promise<GatewayReply>,
): Promise<GatewayReply> {
  for (;;) {
    const reply = await turns
      .request(self, what, true, () => (gatewayIsAway() ? away : turns.parked(send())))
      .catch((error: unknown) => {
        if (error instanceof Killed) throw error;
        return away;
      });
    if (!self.alive) throw new Killed(self.name);
    if (reply.type === "refused") throw new RefusedByGateway(reply.code, reply.message);
    if (reply.type !== "away") return reply;
  }
}

const away = { type: "away" } as const;

async function attempt(parts: AgentParts, order: WorkOrder, talk: Talk): Promise<Outcome | "held"> {
  const { pod, ending, cloud } = parts;
  if (order.held !== undefined) return applyHeld(parts, order, talk, order.held);
  const destroying = order.operation === "Destroy";
  const readState = async (): Promise<EngineState> => {
    const bytes = await talk("GET /v1/state");
    return bytes === undefined ? emptyState(`lineage-of-${pod.uid}`) : readStateBytes(bytes);
  };
  if (destroying && (await readState()).things.size === 0)
    return { result: "Destroyed", reason: "Destroyed", message: "the state holds nothing" };
  const wish = wishOf(variablesOf(order));
  if (destroying) await talk("GET /v1/archive");
  if (!destroying && wish.mode === "input-missing")
    return { result: "Waiting", reason: "InputMissing", message: "Secret shop has no key db" };
  if (ending()) return failed("RunnerLost", "the pod was told to end");

  await talk("PUT /v1/state/lock", { ID: `plan-${pod.uid}`, Operation: "OperationTypePlan" });
  const state = await readState();
  await talk("DELETE /v1/state/lock", undefined, `plan-${pod.uid}`);
  if (!destroying && wish.mode === "plan-fails") return failed("PlanFailed", "Error: main.tf:1: no");
  if (ending()) return failed("RunnerLost", "the pod was told to end");
  const key: StateKey = { namespace: pod.namespace, environment: order.environment.name, component: order.component };
  const tampered = cloud.tampered(key);
  const changes = planOf(refreshed(cloud, state), destroying ? new Map() : wish.resources);
  const outputMoves = !destroying && state.output !== wish.output;
  const empty = changes.length === 0 && !outputMoves;
  if (!destroying) await talk("PUT /v1/archive", archiveOf(order));
  const digest = `sha256:${hash("sha256", JSON.stringify([pod.uid, state.serial, changes]), "hex")}`;
  const verdict = JSON.parse((await talk("POST /v1/plan", reportOf(digest, changes, empty)))?.toString() ?? "{}");
  const work = { planned: state, changes, output: destroying ? undefined : wish.output, tampered };
  if (verdict.verdict === "Hold") {
    await talk("PUT /v1/plan/bundle", packed(digest, work));
    return "held";
  }
  if (verdict.verdict !== "Apply")
    return {
      result: resultOfRefusal(verdict.reason),
      reason: verdict.reason,
      message: verdict.message,
      retry: "Never",
    };
  if (empty && !destroying) {
    cloud.mended(tampered);
    return { result: "Unchanged", reason: "Unchanged", message: "the plan was empty" };
  }
  return applied(parts, order, talk, digest, work);
}

async function applyHeld(
  parts: AgentParts,
  order: WorkOrder,
  talk: Talk,
  held: NonNullable<WorkOrder["held"]>,
): Promise<Outcome> {
  const bundle = JSON.parse((await talk("GET /v1/plan/bundle"))?.toString() ?? "{}") as Bundle;
  if (bundle.digest !== held.digest) return failed("PlanFailed", "the stored plan is not the one that was approved");
  if (parts.ending()) return failed("RunnerLost", "the pod was told to end");
  const answer = JSON.parse((await talk("POST /v1/plan", held))?.toString() ?? "{}");
  if (answer.verdict === "Apply") return applied(parts, order, talk, held.digest, unpacked(bundle));
  const { reason, message } = answer;
  return { result: reason === "Interrupted" ? "Interrupted" : "Cancelled", reason, message, retry: "Never" };
}

async function applied(parts: AgentParts, order: WorkOrder, talk: Talk, digest: string, work: Work): Promise<Outcome> {
  const { pod, cloud } = parts;
  parts.onApply(pod.run, digest, packed(digest, work).toString());
  try {
    const outcome = await apply(parts, order, talk, work);
    if (outcome.result !== "Failed") cloud.mended(work.tampered ?? []);
    return outcome;
  } finally {
    if (parts.self.alive) cloud.end(pod.uid);
  }
}

/** A plan as it waits in the store. */
interface Bundle {
  readonly digest: string;
  readonly state: string;
  readonly changes: readonly Change[];
  readonly output: string | undefined;
  readonly tampered: readonly string[] | undefined;
}

const packed = (digest: string, { planned, changes, output, tampered }: Work): Buffer => {
  const state = stateBytes(planned).toString();
  return Buffer.from(JSON.stringify({ digest, state, changes, output, tampered } satisfies Bundle));
};

const unpacked = ({ state, changes, output, tampered }: Bundle): Work => ({
  ...(tampered === undefined ? {} : { tampered }),
  planned: readStateBytes(Buffer.from(state)),
  changes,
  output,
});

interface Work {
  /** What somebody had changed by hand when the plan was made. */
  readonly tampered?: readonly string[];
  readonly planned: EngineState;
  readonly changes: readonly Change[];
  readonly output: string | undefined;
}

async function apply(parts: AgentParts, order: WorkOrder, talk: Talk, work: Work): Promise<Outcome> {
  const { pod, cloud, dice, ending } = parts;
  const { planned, changes, output } = work;
  const key: StateKey = { namespace: pod.namespace, environment: order.environment.name, component: order.component };
  const lock = `apply-${pod.uid}`;
  const failing = wishOf(variablesOf(order)).mode === "apply-fails" && order.operation === "Apply";
  await talk("PUT /v1/state/lock", { ID: lock, Operation: "OperationTypeApply" });
  cloud.begin(key, pod.uid, pod.run);
  const bytes = await talk("GET /v1/state");
  let state = bytes === undefined ? planned : readStateBytes(bytes);
  const stale = state.serial !== planned.serial || state.lineage !== planned.lineage;
  const known = state.things;
  state = refreshed(cloud, state);
  let failure = stale ? failed("ApplyFailed", "the saved plan is stale") : undefined;
  let entries = 0;
  const journal = async (event: string, { address, action }: Change, id?: string) => {
    const told = id === undefined ? {} : { idKey: "id", idValue: id };
    const entry = { at: parts.now().toISOString(), event, address, action, ...told };
    await talk("POST /v1/journal", { from: entries, entries: [entry] });
    entries += 1;
  };
  const save = async () => {
    state = { ...state, serial: state.serial + 1 };
    await talk("POST /v1/state", stateBytes(state), lock);
  };
  for (const [index, change] of stale ? [] : changes.entries()) {
    if (ending()) failure = failed("ApplyFailed", "the engine was asked to stop");
    else if (failing && index === changes.length - 1) failure = failed("ApplyFailed", "Error: quota");
    if (failure !== undefined) break;
    await journal("apply_start", change);
    const [things, id] = carriedOut({ cloud, pod: pod.uid, state, known }, change);
    state = { ...state, things };
    await journal("apply_complete", change, id);
    if (dice.chance(0.3)) await save();
  }
  if (failure === undefined) state = { ...state, output };
  if (!stale) await save();
  cloud.end(pod.uid);
  await talk("DELETE /v1/state/lock", undefined, lock);
  if (failure !== undefined) return failure;
  return order.operation === "Destroy"
    ? { result: "Destroyed", reason: "Destroyed", message: "everything was destroyed" }
    : { result: "Applied", reason: "Applied", message: "the plan was applied" };
}

interface Place {
  readonly cloud: Cloud;
  readonly pod: string;
  readonly state: EngineState;
  /** What the state said before the cloud was asked. */
  readonly known: EngineState["things"];
}

function carriedOut(
  { cloud, pod, state, known: before }: Place,
  change: Change,
): [EngineState["things"], string | undefined] {
  const things = new Map(state.things);
  const { address } = change;
  if (change.action === "delete") {
    const key = change.id === undefined ? address : deposed(address, change.id);
    // A provider that is to delete what somebody has deleted by hand since the plan was made is content.
    const known = things.get(key) ?? before.get(key);
    if (known !== undefined) cloud.destroy(pod, known.id);
    things.delete(key);
    return [things, undefined];
  }
  const { content, action } = change;
  // An update makes nothing: of what somebody has deleted by hand since, only the next plan sees that it is gone.
  const known = things.get(address) ?? (action === "update" ? before.get(address) : undefined);
  if (action === "update" && known !== undefined) {
    cloud.change(pod, known.id, content);
    things.set(address, { id: known.id, content });
    return [things, known.id];
  }
  if (known !== undefined) things.set(deposed(address, known.id), known);
  const id = cloud.create(pod, address, content);
  things.set(address, { id, content });
  return [things, id];
}
