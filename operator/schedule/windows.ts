import type { Window } from "../api/time.ts";
import { type CompiledWindow, readWindows, type ScheduleTrouble } from "./window.ts";

/** May a change begin at a moment, and when is that otherwise? */
export type WindowAnswer =
  | { readonly state: "open" }
  /** `by` is the window that forbids it, where one does. Not foreseen: it does not open before, and what comes then has to be asked again. */
  | {
      readonly state: "closed";
      readonly opensAtMs: number;
      readonly foreseen: boolean;
      readonly by: string | undefined;
    }
  | { readonly state: "invalid"; readonly trouble: ScheduleTrouble };

const DAY_MS = 24 * 3_600_000;
/** Windows that keep each other closed through all seasons will do so for ever. */
const LONGEST_CLOSED_MS = 366 * DAY_MS;

/**
 * How many changes of windows are looked at on the way to a moment: those that open and close once a day are followed for a year, others as far as
 * a bounded time allows.
 */
const mostSteps = (aheadMs: number): number => 200 + 2 * Math.min(366, aheadMs / DAY_MS);

/** Deny wins over allow; without a window that allows, everything is allowed that none denies. */
export function windowsAt(windows: readonly Window[], atMs: number): WindowAnswer {
  const reading = readWindows(windows, atMs);
  if (!reading.ok) return { state: "invalid", trouble: reading.trouble };
  const first = whatStands(reading.windows, atMs);
  if (first.open) return { state: "open" };
  const known = closedAnswers.get(windows);
  if (known !== undefined && known.fromMs <= atMs && atMs < known.untilMs) return known.answer;
  const answer = nextOpening(reading.windows, first, atMs);
  closedAnswers.set(windows, { fromMs: atMs, untilMs: first.untilMs, answer });
  return answer;
}

/** Each round of an Environment asks several times. Until the first window changes, the answer is the same. */
const closedAnswers = new WeakMap<
  readonly Window[],
  { readonly fromMs: number; readonly untilMs: number; readonly answer: WindowAnswer }
>();

function nextOpening(windows: readonly CompiledWindow[], first: Closed, atMs: number): WindowAnswer {
  let opensAtMs = first.untilMs;
  for (let steps = 0; steps < mostSteps(opensAtMs - atMs); steps += 1) {
    const then = opensAtMs < Number.POSITIVE_INFINITY ? whatStands(windows, opensAtMs) : undefined;
    if (then?.open) return { state: "closed", opensAtMs, foreseen: true, by: first.by };
    if (then === undefined || opensAtMs - atMs > LONGEST_CLOSED_MS) return { state: "invalid", trouble: NEVER_OPEN };
    opensAtMs = then.untilMs;
  }
  return { state: "closed", opensAtMs, foreseen: false, by: first.by };
}

const NEVER_OPEN: ScheduleTrouble = {
  path: "windows",
  message: "none that allows opens within a year; do windows that deny cover it?",
};

/** Closed at least until `untilMs`. */
interface Closed {
  readonly open: false;
  readonly untilMs: number;
  readonly by: string | undefined;
}
type Standing = { readonly open: true } | Closed;

function whatStands(windows: readonly CompiledWindow[], atMs: number): Standing {
  for (const { window, phaseAt } of windows) {
    const phase = window.type === "Deny" ? phaseAt(atMs) : undefined;
    if (phase?.open) return { open: false, untilMs: phase.untilMs, by: window.name };
  }
  const allowing = windows.filter(({ window }) => window.type === "Allow").map(({ phaseAt }) => phaseAt(atMs));
  if (allowing.length === 0 || allowing.some(({ open }) => open)) return { open: true };
  return { open: false, untilMs: Math.min(...allowing.map(({ untilMs }) => untilMs)), by: undefined };
}
