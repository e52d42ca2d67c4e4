/** What the engine does to each resource, kept on disk at once and sent to the store at most a second later. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { type EngineEvent, journalEntry as entryOf } from "../../operator/engine/events.ts";
import { type JournalEntry, journalEntry } from "../../operator/gateway/protocol.ts";
import { type GatewayClient, GatewayRefused } from "./gateway-client.ts";
import { patiently } from "./patience.ts";
import type { Scrubber } from "./scrub.ts";
import type { Spool } from "./spool.ts";

const batchSize = 500;
const latestMs = 1_000;
const names = { start: "apply_start", complete: "apply_complete", errored: "apply_errored" } as const;

export class Journal {
  readonly #gateway: GatewayClient;
  readonly #spool: Spool;
  readonly #scrubber: Scrubber;
  readonly #onAway: (message: string) => void;
  #entries: JournalEntry[] = [];
  #sent = 0;
  #sending: Promise<void> | undefined;
  #hurry = new AbortController();

  constructor(gateway: GatewayClient, spool: Spool, scrubber: Scrubber, onAway: (message: string) => void) {
    this.#gateway = gateway;
    this.#spool = spool;
    this.#scrubber = scrubber;
    this.#onAway = onAway;
  }

  /** What an agent before this one wrote down is sent once more: the store recognises what it has. */
  async open(): Promise<void> {
    this.#entries = z.array(journalEntry).parse(await this.#spool.entries("journal"));
    this.#send();
  }

  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  /** On disk when this returns; where that is full, in memory and soon sent. */
  record(event: EngineEvent): void {
    const found = entryOf(event);
    if (found === undefined) return;
    const { event: kind, address, action, idKey, id } = found;
    // Only what others wrote is scrubbed: our own words have to stay what the gateway knows.
    const entry = {
      at: new Date().toISOString(),
      event: names[kind],
      address: this.#scrubber.text(address),
      action,
      ...(idKey === undefined ? {} : { idKey }),
      ...(id === undefined ? {} : { idValue: this.#scrubber.text(id) }),
    };
    this.#spool.append("journal", entry);
    this.#entries.push(entry);
    this.#send();
  }

  /** Resolves when the store has all of it, or has refused it. */
  async flushed(): Promise<void> {
    this.#hurry.abort();
    while (this.#sending !== undefined) await this.#sending;
  }

  #send(): void {
    if (this.#sending !== undefined || this.#sent >= this.#entries.length) return;
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = undefined;
      this.#send();
    });
  }

  async #sendAll(): Promise<void> {
    // A little patience makes one request of many lines; the end of the command does not wait for it.
    await delay(latestMs / 2, undefined, { signal: this.#hurry.signal }).catch(() => {});
    while (this.#sent < this.#entries.length) {
      const entries = this.#entries.slice(this.#sent, this.#sent + batchSize);
      const batch = { from: this.#sent, entries };
      try {
        await patiently(() => this.#gateway.journal(batch), { onAway: this.#onAway });
      } catch (error) {
        if (!(error instanceof GatewayRefused)) throw error;
        this.#onAway(`the gateway refuses the journal: ${error.message}`);
      }
      this.#sent += entries.length;
    }
  }
}
