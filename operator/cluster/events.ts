import { createHash } from "node:crypto";
import { cutBytes } from "../api/cut-bytes.ts";
import type { Clock } from "../loop/clock.ts";
import { isNotFound } from "./errors.ts";
import { type Event, microTime } from "./kinds.ts";
import type { EventFacts, EventRecorder, ObjectReference, Writer } from "./ports.ts";
import { EVENTS } from "./resources.ts";

export interface RecorderOptions {
  readonly writer: Pick<Writer, "create" | "mergePatch">;
  readonly clock: Clock;
  /** Who reports, e.g. the pod's name: part of the events' names too, so that replicas do not meet. */
  readonly instance: string;
  readonly controller?: string;
  /** A repeat within this time is counted and written at its end. */
  readonly quietMs?: number;
  readonly mostRemembered?: number;
  readonly mostInFlight?: number;
  /** An event was not written: too many at once, or the API server refused. */
  readonly onDropped?: (reason: "busy" | "failed", error?: unknown) => void;
}

export interface ClosableRecorder extends EventRecorder {
  /** Writes the counts that wait and resolves when nothing is in flight. */
  flush(): Promise<void>;
}

interface Series {
  readonly about: ObjectReference;
  readonly facts: EventFacts;
  readonly name: string;
  count: number;
  written: number;
  lastSeen: string;
  cancelTimer: (() => void) | undefined;
  /** Ends with the last write so far: a count must not overtake the event that it belongs to. */
  writing: Promise<void> | undefined;
}

const FIVE_MINUTES_MS = 300_000;

/** Events of events.k8s.io/v1. The same sentence about the same object is one event with a count. */
export function createEventRecorder(options: RecorderOptions): ClosableRecorder {
  const { clock, quietMs = FIVE_MINUTES_MS, mostRemembered = 1000, mostInFlight = 16 } = options;
  // In order of last use, for there is room for so many only.
  const known = new Map<string, Series>();
  const inFlight = new Set<Promise<void>>();

  const write = (series: Series): void => {
    if (inFlight.size >= mostInFlight) {
      options.onDropped?.("busy");
      return;
    }
    const previous = series.writing;
    const sending = previous === undefined ? send(options, series) : previous.then(() => send(options, series));
    const writing = sending
      .catch((error: unknown) => options.onDropped?.("failed", error))
      .finally(() => inFlight.delete(writing));
    series.writing = writing;
    inFlight.add(writing);
  };
  const writeRepeats = (key: string, series: Series): void => {
    series.cancelTimer = undefined;
    if (series.count > series.written) {
      write(series);
      series.cancelTimer = clock.setTimer(quietMs, () => writeRepeats(key, series));
    } else if (known.get(key) === series) {
      known.delete(key);
    }
  };
  const begin = (key: string, about: ObjectReference, facts: EventFacts): void => {
    const at = microTime(clock.now());
    const name = eventName(about, `${key}|${options.instance}|${at}`);
    const cancelTimer = clock.setTimer(quietMs, () => writeRepeats(key, series));
    const series: Series = { about, facts, name, count: 1, written: 0, lastSeen: at, cancelTimer, writing: undefined };
    known.set(key, series);
    write(series);
    const [oldest] = known;
    if (known.size <= mostRemembered || oldest === undefined) return;
    oldest[1].cancelTimer?.();
    known.delete(oldest[0]);
  };

  return {
    record(about, facts) {
      const key = [about.uid, facts.type, facts.reason, facts.action, facts.message].join("|");
      const series = known.get(key);
      if (series === undefined) return begin(key, about, facts);
      series.count += 1;
      series.lastSeen = microTime(clock.now());
      known.delete(key);
      known.set(key, series);
    },
    async flush() {
      for (const series of known.values()) {
        series.cancelTimer?.();
        if (series.count > series.written) write(series);
      }
      known.clear();
      await Promise.all(inFlight);
    },
  };
}

async function send({ writer, ...who }: RecorderOptions, series: Series): Promise<void> {
  const { count, lastSeen, name } = series;
  const isFirst = series.written === 0;
  const namespace = series.about.namespace ?? "default";
  // Counted as written beforehand: an event that fails is dropped, not hammered.
  series.written = count;
  if (isFirst) return void (await writer.create(EVENTS, toEvent(who, series)));
  try {
    await writer.mergePatch(EVENTS, namespace, name, { series: { count, lastObservedTime: lastSeen } });
  } catch (error) {
    // Events live for an hour; one that is still repeated is told again.
    if (!isNotFound(error)) throw error;
    await writer.create(EVENTS, toEvent(who, series));
  }
}

function toEvent(who: Pick<RecorderOptions, "controller" | "instance">, series: Series): Event {
  const { about, facts, name, count, lastSeen } = series;
  return {
    metadata: { name, namespace: about.namespace ?? "default" },
    eventTime: lastSeen,
    reportingController: who.controller ?? "terrarium.dev/operator",
    reportingInstance: who.instance.slice(0, 128),
    type: facts.type,
    reason: facts.reason.slice(0, 128),
    action: (facts.action ?? facts.reason).slice(0, 128),
    note: cutBytes(facts.message, 1024),
    regarding: about,
    ...(facts.related === undefined ? {} : { related: facts.related }),
    // A series counts from two.
    ...(count < 2 ? {} : { series: { count, lastObservedTime: lastSeen } }),
  };
}

function eventName(about: ObjectReference, key: string): string {
  const hash = createHash("sha256").update(key).digest("hex").slice(0, 16);
  return `${about.name.slice(0, 200).replace(/[^a-z0-9]+$/, "")}.${hash}`;
}
