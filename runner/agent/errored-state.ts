/** `errored.tfstate`: the engine could not hand over its state and left the only copy in its working directory. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { erroredStateFile } from "../../operator/engine/names.ts";
import { parseState } from "../../operator/engine/state.ts";
import type { GatewayClient } from "./gateway-client.ts";
import { keepForRecovery, type StateRelay } from "./state-relay.ts";
import { readOwn } from "./tree.ts";

export type Recovery =
  | { readonly end: "none" }
  /** It is the stored state now, as if it had been handed over. */
  | { readonly end: "stored" }
  /** Safe as a recovery copy, but not the state. */
  | { readonly end: "kept"; readonly why: string }
  /** Nobody took it: the engine container must stay. */
  | { readonly end: "unsaved"; readonly why: string };

const maxBytes = 512 * 1024 * 1024;

export interface RecoveryTools {
  readonly out: string;
  readonly gateway: GatewayClient;
  readonly relay: StateRelay;
  readonly say: (message: string) => void;
}

/** The copy first, then the attempt to make it the state: whatever fails, the bytes are safe. */
export async function recoverErroredState(cwd: string, { out, gateway, relay, say }: RecoveryTools): Promise<Recovery> {
  const state = await readOwn(out, join(cwd, erroredStateFile), maxBytes);
  if (state === undefined) return { end: "none" };
  say("the engine could not hand over its state: saving errored.tfstate");
  if (!(await keepForRecovery(gateway, state, say))) {
    return { end: "unsaved", why: "the gateway refused the recovery copy of the state" };
  }
  const unfit = await whyUnfit(state, relay);
  if (unfit !== undefined) return { end: "kept", why: unfit };
  const lockId = relay.heldLock ?? randomUUID();
  if (relay.heldLock === undefined) {
    const lock = await relay.lock({
      ID: lockId,
      Operation: "OperationTypeRecovery",
      Info: "",
      Who: "",
      Version: "",
      Created: new Date().toISOString(),
      Path: "",
    });
    if (!lock.held) return { end: "kept", why: "the state is locked by another" };
  }
  const written = await relay.write(lockId, state);
  await relay.drained();
  await relay.unlock(lockId);
  return written.end === "refused" ? { end: "kept", why: written.why.message } : { end: "stored" };
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
