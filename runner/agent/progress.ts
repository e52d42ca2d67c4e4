/** Tells how far the work is: at most every 5 s or 10 %. What does not arrive is told again, or what is newer by then. */
import { UNSAVED_STATE_STEP } from "../../operator/api/run-status.ts";
import type { EngineEvent } from "../../operator/engine/events.ts";
import type { ProgressReport } from "../../operator/gateway/protocol.ts";
import type { Scrubber } from "./scrub.ts";

const everyMs = 5_000;
/** A step that is over sooner is not worth a write to the Run. */
const settleMs = 1_000;
/** In the place of whatever else is going on: such a pod must not be ended. */
const UNSAVED: ProgressReport = { step: UNSAVED_STATE_STEP };

/** Where a state may be that is nowhere else: on its way to the store, or in the file that an engine leaves when nobody takes its state. */
type Copy = "onItsWay" | "leftByEngine";

export class Progress {
  readonly #send: (report: ProgressReport) => Promise<boolean>;
  readonly #scrubber: Scrubber;
  #report: ProgressReport = { step: "start" };
  #told: { at: number; done: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sending = false;
  #stopped = false;
  #arrived: ProgressReport | undefined;
  readonly #unsaved = new Set<Copy>();

  /** `send` answers whether it is written. What is not, is told again. */
  constructor(send: (report: ProgressReport) => Promise<boolean>, scrubber: Scrubber) {
    this.#send = send;
    this.#scrubber = scrubber;
  }

  step(step: string, total?: number): void {
    this.#report = { step, ...(total === undefined ? {} : { done: 0, total }) };
    this.#told = undefined;
    this.#schedule(settleMs);
  }

  /** A state is only in this pod, or is not any more. */
  unsaved(copy: Copy, isUnsaved: boolean): void {
    if (isUnsaved) this.#unsaved.add(copy);
    else this.#unsaved.delete(copy);
    this.#schedule(settleMs, true);
  }

  event(event: EngineEvent): void {
    if (event.type === "ApplyStart") this.#report = { ...this.#report, current: this.#shown(event.address) };
    else if (event.type === "ApplyComplete" && this.#report.done !== undefined) {
      this.#report = { ...this.#report, done: this.#report.done + 1 };
    } else return;
    const { done = 0, total = 0 } = this.#report;
    const leap = this.#told !== undefined && (done - this.#told.done) * 10 >= Math.max(total, 1);
    const since = this.#told === undefined ? 0 : performance.now() - this.#told.at;
    this.#schedule(leap ? Math.max(0, settleMs - since) : Math.max(settleMs, everyMs - since), leap);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stopped = true;
  }

  #schedule(inMs: number, sooner = false): void {
    if (this.#sending || this.#stopped) return;
    if (this.#timer !== undefined && !sooner) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(), inMs);
    this.#timer.unref();
  }

  #tell(): void {
    this.#timer = undefined;
    this.#told = { at: performance.now(), done: this.#report.done ?? 0 };
    this.#sending = true;
    const said = this.#newest;
    // What is told now may be written although its answer is lost.
    this.#arrived = undefined;
    const heard = (isWritten: boolean) => {
      if (isWritten) this.#arrived = said;
    };
    this.#send(said)
      .then(heard, () => {})
      .finally(() => {
        this.#sending = false;
        if (this.#newest !== this.#arrived) this.#schedule(everyMs);
      });
  }

  get #newest(): ProgressReport {
    return this.#unsaved.size > 0 ? UNSAVED : this.#report;
  }

  #shown(address: string): string {
    return this.#scrubber.text(address).slice(0, 256);
  }
}
