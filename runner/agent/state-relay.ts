/**
 * Between the engine and the store: a state that the engine hands over is on disk before the engine is told so, and is
 * sent until the gateway has it. Only a refusal, which no repetition changes, is passed on. Where the disk is full, the
 * engine is told nothing before the gateway has it.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { LockInfo } from "../../operator/gateway/protocol.ts";
import { isDiskFull } from "./disk.ts";
import { type GatewayClient, GatewayRefused, type LockAnswer } from "./gateway-client.ts";
import { keepForRecovery } from "./keep-for-recovery.ts";
import { patiently } from "./patience.ts";
import { spooledNames, writeDurably } from "./spool.ts";
import { readSpooledName, type Spooled, spooledName } from "./spooled-name.ts";

interface Entry extends Spooled {
  /** The state itself, where the disk has not taken it. */
  readonly inMemory?: Buffer | undefined;
  /** The engine was told that it is taken, or the agent before this one took it. */
  taken: boolean;
  readonly done: Promise<Settled>;
  readonly settle: (end: Settled) => void;
}

/** `spooled`: on disk here, and on its way. */
export type Settled =
  | { readonly end: "stored" | "spooled" }
  | { readonly end: "refused"; readonly why: GatewayRefused };

export interface RelayOptions {
  readonly gateway: GatewayClient;
  readonly folder: string;
  readonly onAway: (message: string) => void;
  readonly say?: (message: string) => void;
  /** True: a state is only in this pod: left by an agent before, not taken by the gateway within `patienceMs`, or refused. False: it is safe by now. */
  readonly onUnsaved?: (isUnsaved: boolean) => void;
  /** How long the engine waits for the gateway's own word before the spool's is good enough. */
  readonly patienceMs?: number;
  /** Pause before a state that the gateway does not even take as a recovery copy is offered again. */
  readonly refusedWaitMs?: number;
  /** Nothing is written in this pod: the state is read once, and every command of the engine sees the same version. */
  readonly isReadOnly?: boolean;
}

export class StateRelay {
  readonly #options: RelayOptions;
  #queue: Entry[] = [];
  #sequence = 0;
  #working: Promise<void> | undefined;
  #newest: Buffer | undefined;
  #refusal: GatewayRefused | undefined;
  #unkept: Buffer | undefined;
  #unreadable: GatewayRefused | undefined;
  #heldLock: string | undefined;
  #isUnsaved = false;
  /** The stored state, as long as nobody else may change it: the engine reads it again before every write. */
  #known: { readonly state: Buffer | undefined } | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** Takes up what an agent before this one left behind. */
  async open(): Promise<void> {
    for (const name of await spooledNames(this.#options.folder)) {
      const spooled = readSpooledName(name);
      this.#sequence = Math.max(this.#sequence, spooled.sequence + 1);
      if (spooled.kind === "state") this.#tellUnsaved(true);
      this.#enqueue(spooled, { taken: true });
      if (spooled.kind === "state") this.#newest = await readFile(join(this.#options.folder, name));
    }
    this.#work();
  }

  /** A state that could not be stored as the state: it is kept as a recovery copy. */
  get refusal(): GatewayRefused | undefined {
    return this.#refusal;
  }

  /** A state that was refused, even as a recovery copy. The engine is about to leave it in a file, unless it ends before. */
  get unkept(): Buffer | undefined {
    return this.#unkept;
  }

  /** The engine's last state is safe, and with it whatever was refused before. */
  forgetRefused(): void {
    this.#unkept = undefined;
    this.#tellIfSafe();
  }

  /** The last state that was handed over, whatever became of it. */
  get newest(): Buffer | undefined {
    return this.#newest;
  }

  /** The store has a state and cannot read it: nothing may be planned from what is left. */
  get unreadable(): GatewayRefused | undefined {
    return this.#unreadable;
  }

  /** The lock that the engine took and has not given back. */
  get heldLock(): string | undefined {
    return this.#heldLock;
  }

  /** The newest state that was handed over, or the stored one. */
  async read(signal?: AbortSignal): Promise<Buffer | undefined> {
    if (this.#queue.some(({ kind }) => kind === "state")) return this.#newest;
    if (this.#known !== undefined) return this.#known.state;
    const { gateway, onAway, isReadOnly = false } = this.#options;
    const held = this.#heldLock;
    const state = await patiently(() => gateway.getState(signal), { signal, onAway }).catch((error: unknown) => {
      if (error instanceof GatewayRefused && error.code === "StoreCorrupt") this.#unreadable = error;
      throw error;
    });
    if (isReadOnly || (held !== undefined && held === this.#heldLock)) this.#known = { state };
    return state;
  }

  async write(lockId: string, state: Buffer): Promise<Settled> {
    const spooled = { sequence: this.#sequence++, kind: "state", lockId } as const;
    const onDisk = await this.#spooled(spooled, state);
    this.#newest = state;
    const entry = this.#enqueue(spooled, { inMemory: onDisk ? undefined : state });
    return onDisk ? this.#settled(entry) : entry.done;
  }

  /** Waits until what was handed over before is stored, and for a gateway that is away. */
  async lock(info: LockInfo, signal?: AbortSignal): Promise<LockAnswer> {
    await this.drained();
    this.#known = undefined;
    const { gateway, onAway } = this.#options;
    const answer = await patiently(() => gateway.lock(info, signal), { signal, onAway });
    if (answer.held) this.#heldLock = info.ID;
    return answer;
  }

  /** Given back only behind every state that was written under it. */
  async unlock(lockId: string): Promise<Settled> {
    const spooled = { sequence: this.#sequence++, kind: "unlock", lockId } as const;
    // Lost with this process where the disk is full: then the end of the Run releases the lock.
    await this.#spooled(spooled, Buffer.alloc(0));
    if (this.#heldLock === lockId) this.#heldLock = undefined;
    this.#known = undefined;
    return this.#settled(this.#enqueue(spooled, {}));
  }

  /** Resolves when nothing is left on disk here. */
  async drained(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  async #spooled(spooled: Spooled, content: Buffer): Promise<boolean> {
    try {
      await writeDurably(this.#path(spooled), content);
      return true;
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#options.say?.(
        "the disk of the agent is full: a state is sent from memory, and the engine waits until it is stored",
      );
      return false;
    }
  }

  #enqueue(spooled: Spooled, how: Pick<Partial<Entry>, "taken" | "inMemory">): Entry {
    const { promise, resolve } = Promise.withResolvers<Settled>();
    const entry: Entry = { taken: false, ...how, ...spooled, done: promise, settle: resolve };
    this.#queue.push(entry);
    if (entry.kind === "state") this.#watch(entry);
    this.#work();
    return entry;
  }

  /** Whoever may end this pod has to know that a state would go with it. */
  #watch(entry: Entry): void {
    const tell = () => this.#queue.includes(entry) && this.#tellUnsaved(true);
    setTimeout(tell, this.#patienceMs).unref();
  }

  #tellUnsaved(isUnsaved: boolean): void {
    if (this.#isUnsaved === isUnsaved) return;
    this.#isUnsaved = isUnsaved;
    this.#options.onUnsaved?.(isUnsaved);
  }

  #tellIfSafe(): void {
    if (!this.#queue.some(({ kind }) => kind === "state")) this.#tellUnsaved(this.#unkept !== undefined);
  }

  get #patienceMs(): number {
    return this.#options.patienceMs ?? 5_000;
  }

  async #settled(entry: Entry): Promise<Settled> {
    const stop = new AbortController();
    const spooled = delay(this.#patienceMs, { end: "spooled" } as const, { signal: stop.signal });
    try {
      const settled = await Promise.race([entry.done, spooled.catch((): Settled => ({ end: "spooled" }))]);
      entry.taken = true;
      return settled;
    } finally {
      stop.abort();
    }
  }

  #work(): void {
    if (this.#working !== undefined || this.#queue.length === 0) return;
    this.#working = this.#drain()
      .catch(async (error: unknown) => {
        // The disk is full or gone: what is in it cannot be sent, but it is not given up either.
        this.#options.onAway(
          `a spooled state cannot be sent: ${error instanceof Error ? error.message : String(error)}`,
        );
        await delay(5_000);
      })
      .finally(() => {
        this.#working = undefined;
        this.#work();
      });
  }

  async #drain(): Promise<void> {
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      // Of several states in a row the newest says it all; the older ones go when it is stored.
      const firstOther = this.#queue.findIndex(({ kind }) => kind !== "state");
      const batch = head.kind === "state" ? this.#queue.slice(0, firstOther === -1 ? undefined : firstOther) : [head];
      const last = batch.at(-1) ?? head;
      const end = last.kind === "state" ? await this.#store(last, batch) : await this.#release(last);
      this.#queue = this.#queue.filter((entry) => !batch.includes(entry));
      this.#tellIfSafe();
      for (const entry of batch) {
        entry.settle(end);
        await rm(this.#path(entry), { force: true });
      }
    }
  }

  async #store(entry: Entry, batch: readonly Entry[]): Promise<Settled> {
    const { gateway, onAway } = this.#options;
    const state = entry.inMemory ?? (await readFile(this.#path(entry)));
    // From here on this one says it all.
    this.#unkept = undefined;
    try {
      await patiently(() => gateway.postState(entry.lockId, state), { onAway });
      if (this.#heldLock === entry.lockId) this.#known = { state };
      // What was refused before is part of what is stored now.
      this.#refusal = undefined;
      return { end: "stored" };
    } catch (error) {
      if (!(error instanceof GatewayRefused)) throw error;
      if (await this.#isStored(state)) return { end: "stored" };
      const isKept = await this.#keep(state, batch, error);
      if (!isKept) this.#unkept = state;
      this.#refusal = error;
      this.#known = undefined;
      return { end: "refused", why: error };
    }
  }

  /**
   * An engine that waits for the answer leaves the state in a file when it is refused. Of one that was told before that
   * its state is taken, the only copy is on disk here: it stays until it is safe, or a newer one says it all. So does one
   * that is in memory: the disk that did not take it may not take the engine's file either.
   */
  async #keep(state: Buffer, batch: readonly Entry[], why: GatewayRefused): Promise<boolean> {
    const { gateway, onAway, refusedWaitMs = 10_000 } = this.#options;
    const isNewest = () => !this.#queue.some((entry) => entry.kind === "state" && !batch.includes(entry));
    while (!(await keepForRecovery(gateway, state, onAway))) {
      const isOnlyCopy = batch.some(({ taken, inMemory }) => taken || inMemory !== undefined);
      if (!isOnlyCopy || !isNewest()) return false;
      for (const entry of batch) entry.settle({ end: "refused", why });
      await delay(refusedWaitMs);
    }
    return true;
  }

  /** The answer to an earlier try may have been lost on its way. */
  async #isStored(state: Buffer): Promise<boolean> {
    const { gateway, onAway } = this.#options;
    const stored = await patiently(() => gateway.getState(), { onAway }).catch(() => undefined);
    return stored?.equals(state) === true;
  }

  async #release(entry: Entry): Promise<Settled> {
    const { gateway, onAway } = this.#options;
    try {
      await patiently(() => gateway.unlock(entry.lockId), { onAway });
      return { end: "stored" };
    } catch (error) {
      if (!(error instanceof GatewayRefused)) throw error;
      return { end: "refused", why: error };
    }
  }

  #path(spooled: Spooled): string {
    return join(this.#options.folder, spooledName(spooled));
  }
}
