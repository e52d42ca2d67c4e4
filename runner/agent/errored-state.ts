/** `errored.tfstate`: the engine could not hand over its state and left the only copy in its working directory. */
import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { erroredStateFile } from "../../operator/engine/names.ts";
import { parseState } from "../../operator/engine/state.ts";
import { type GatewayClient, GatewayRefused } from "./gateway-client.ts";
import { keepForRecovery } from "./keep-for-recovery.ts";
import type { Spool } from "./spool.ts";
import type { StateRelay } from "./state-relay.ts";
import { readOwn } from "./tree.ts";

export type Recovery =
  | { readonly end: "none" }
  /** It is the stored state now, as if it had been handed over. */
  | { readonly end: "stored" }
  /** Safe as a recovery copy, but not the state. */
  | { readonly end: "kept"; readonly why: string };

const maxBytes = 512 * 1024 * 1024;
const firstWaitMs = 1_000;
const longestWaitMs = 60_000;

export interface KeepingTools {
  readonly out: string;
  /** Has what the engine tried to hand over, unless the agent was started again since. */
  readonly relay?: StateRelay | undefined;
  readonly gateway: GatewayClient;
  readonly spool: Spool;
  readonly say: (message: string) => void;
  /** True: the only copy of a state is here. False: it is safe by now. */
  readonly onUnsaved?: (isUnsaved: boolean) => void;
  readonly firstWaitMs?: number;
}

/** The copy first, then the attempt to make it the state: whatever fails, the bytes are safe. */
export async function recoverErroredState(
  cwd: string,
  tools: KeepingTools & { readonly relay: StateRelay },
): Promise<Recovery> {
  const state = await keepErroredState(cwd, tools);
  if (state === undefined) return { end: "none" };
  const { relay } = tools;
  relay.forgetRefused();
  const unfit = await whyUnfit(state, relay);
  if (unfit !== undefined) return { end: "kept", why: unfit };
  const lockId = relay.heldLock ?? randomUUID();
  if (relay.heldLock === undefined) {
    // The gateway makes a copy that follows the stored state the state by itself.
    if ((await relay.read())?.equals(state)) return { end: "stored" };
    const hindrance = await whyLocked(lockId, relay);
    if (hindrance !== undefined) return { end: "kept", why: hindrance };
  }
  const written = await relay.write(lockId, state);
  await relay.drained();
  await relay.unlock(lockId);
  return written.end === "refused" ? { end: "kept", why: written.why.message } : { end: "stored" };
}

/**
 * Resolves when the store has the bytes, or there are none, and however long that takes: nothing may be told about the
 * end of a Run whose state is only here, since the pod may be removed from then on.
 */
export async function keepErroredState(cwd: string, tools: KeepingTools): Promise<Buffer | undefined> {
  const { gateway, spool, say, onUnsaved } = tools;
  for (let wait = tools.firstWaitMs ?? firstWaitMs; ; wait = Math.min(2 * wait, longestWaitMs)) {
    const state = await readErroredState(cwd, tools);
    if (state === undefined) return undefined;
    if (Buffer.isBuffer(state)) {
      const digest = `sha256:${createHash("sha256").update(state).digest("hex")}`;
      if ((await spool.read("saved")) === digest) return state;
      say("the engine could not hand over its state: saving what it has left");
      onUnsaved?.(true);
      if (await keepForRecovery(gateway, state, say)) {
        onUnsaved?.(false);
        await spool.writeIfRoom("saved", digest);
        return state;
      }
    }
    say(`this pod has the only copy of the state, and nobody has taken it: trying again in ${wait / 1000} s`);
    onUnsaved?.(true);
    await delay(wait);
  }
}

/** `unreadable`: it is there, and it is not known what is in it. */
async function readErroredState(
  cwd: string,
  { out, say, relay }: KeepingTools,
): Promise<Buffer | "unreadable" | undefined> {
  try {
    const state = await readOwn(out, join(cwd, erroredStateFile), maxBytes);
    // An engine that was killed leaves no file.
    if (state === undefined) return relay?.unkept;
    if (isWhole(state)) return state;
    say("errored.tfstate is no whole state: the disk of the engine may be full");
    return relay?.newest ?? state;
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return "unreadable";
  }
}

function isWhole(state: Buffer): boolean {
  try {
    parseState(state.toString("utf8"));
    return true;
  } catch {
    return false;
  }
}

async function whyLocked(lockId: string, relay: StateRelay): Promise<string | undefined> {
  const fields = { Info: "", Who: "", Version: "", Path: "", Created: new Date().toISOString() };
  try {
    const lock = await relay.lock({ ID: lockId, Operation: "OperationTypeRecovery", ...fields });
    return lock.held ? undefined : "the state is locked by another";
  } catch (error) {
    if (!(error instanceof GatewayRefused)) throw error;
    return error.message;
  }
}

/** Follows the stored state: of the same lineage, and newer. */
async function whyUnfit(bytes: Buffer, relay: StateRelay): Promise<string | undefined> {
  try {
    const state = parseState(bytes.toString("utf8"));
    const stored = await relay.read();
    if (stored === undefined || stored.equals(bytes)) return undefined;
    const head = parseState(stored.toString("utf8"));
    if (head.lineage !== state.lineage) return "it belongs to another lineage than the stored state";
    return state.serial > head.serial
      ? undefined
      : `its serial ${state.serial} is not newer than the stored ${head.serial}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
