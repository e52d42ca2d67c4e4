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

/** How many changes of windows are looked at for the next opening: months for ordinary windows, and a bounded time for any. */
const MOST_STEPS = 200;
/** Windows that keep each other closed for so long will do so for ever. */
const LONGEST_CLOSED_MS = 30 * 24 * 3_600_000;

/** Deny wins over allow; without a window that allows, everything is allowed that none denies. */
export function windowsAt(windows: readonly Window[], atMs: number): WindowAnswer {
  const reading = readWindows(windows, atMs);
  if (!reading.ok) return { state: "invalid", trouble: reading.trouble };
  const first = whatStands(reading.windows, atMs);
  if (first.open) return { state: "open" };
  let opensAtMs = first.untilMs;
  for (let steps = 0; steps < MOST_STEPS && opensAtMs < Number.POSITIVE_INFINITY; steps += 1) {
    const then = whatStands(reading.windows, opensAtMs);
    if (then.open) return { state: "closed", opensAtMs, foreseen: true, by: first.by };
    opensAtMs = then.untilMs;
  }
  return opensAtMs - atMs > LONGEST_CLOSED_MS
    ? { state: "invalid", trouble: NEVER_OPEN }
    : { state: "closed", opensAtMs, foreseen: false, by: first.by };
}

const NEVER_OPEN: ScheduleTrouble = {
  path: "windows",
  message: "none that allows opens in the foreseeable future; do windows that deny cover it?",
};

/** Closed at least until `untilMs`. */
type Standing =
  | { readonly open: true }
  | { readonly open: false; readonly untilMs: number; readonly by: string | undefined };

function whatStands(windows: readonly CompiledWindow[], atMs: number): Standing {
  for (const { window, phaseAt } of windows) {
    const phase = window.type === "Deny" ? phaseAt(atMs) : undefined;
    if (phase?.open) return { open: false, untilMs: phase.untilMs, by: window.name };
  }
  const allowing = windows.filter(({ window }) => window.type === "Allow").map(({ phaseAt }) => phaseAt(atMs));
  if (allowing.length === 0 || allowing.some(({ open }) => open)) return { open: true };
  return { open: false, untilMs: Math.min(...allowing.map(({ untilMs }) => untilMs)), by: undefined };
}
