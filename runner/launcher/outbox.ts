/** What the agent has not acknowledged yet. Its size is bounded: by pausing the engine, or by dropping ordinary lines. */
import type { ExitMessage, LineMessage, PreparedMessage } from "../engine-channel.ts";

type WithoutSeq<T> = T extends unknown ? Omit<T, "seq"> : never;
export type Report = LineMessage | ExitMessage | PreparedMessage;
export type NewReport = WithoutSeq<Report>;

export interface OutboxLimits {
  /** Above this, the engine's output is paused while the agent listens, and ordinary lines are dropped while it does not. */
  readonly ordinaryBytes: number;
  /** Even journal lines stop the engine's output above this, whoever listens. */
  readonly essentialBytes: number;
}

export class Outbox {
  readonly #limits: OutboxLimits;
  readonly #reports = new Map<number, { readonly report: Report; readonly bytes: number }>();
  readonly #dropped = new Map<string, number>();
  readonly #openLines = new Set<string>();
  #bytes = 0;
  #seq = 0;

  constructor(limits: OutboxLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#reports.size === 0;
  }

  /** The engine's output should rest until the agent has caught up. */
  mustPause(listening: boolean): boolean {
    return this.#bytes > (listening ? this.#limits.ordinaryBytes : this.#limits.essentialBytes);
  }

  /** Nobody will acknowledge soon: make room for what matters instead of stopping the engine. */
  addOrDrop(line: WithoutSeq<LineMessage>, essential: boolean): Report | undefined {
    const stream = `${line.id} ${line.stream}`;
    const begun = this.#openLines.has(stream);
    const room = this.#bytes <= (begun ? this.#limits.essentialBytes : this.#limits.ordinaryBytes);
    if (essential || room) return this.add(line);
    this.#openLines.delete(stream);
    this.#dropped.set(line.id, (this.#dropped.get(line.id) ?? 0) + 1);
    return undefined;
  }

  add(report: NewReport): Report {
    const seq = this.#seq++;
    const full: Report = { ...report, seq };
    if (full.type === "line") this.#trackLine(full);
    const bytes = 256 + (full.type === "line" ? full.text.length : 0);
    this.#reports.set(seq, { report: full, bytes });
    this.#bytes += bytes;
    return full;
  }

  acknowledge(seq: number): void {
    const entry = this.#reports.get(seq);
    if (entry === undefined) return;
    this.#reports.delete(seq);
    this.#bytes -= entry.bytes;
  }

  /** What waits for an acknowledgement of this command, in order. */
  of(id: string): Report[] {
    return [...this.#reports.values()].map(({ report }) => report).filter((report) => report.id === id);
  }

  #trackLine(line: LineMessage): void {
    const stream = `${line.id} ${line.stream}`;
    if (line.more === true) this.#openLines.add(stream);
    else this.#openLines.delete(stream);
    const dropped = this.#dropped.get(line.id);
    if (dropped === undefined) return;
    line.dropped = dropped;
    this.#dropped.delete(line.id);
  }
}
