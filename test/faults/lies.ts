import type { WatchEvent } from "./proxy.ts";

/** How events of a watch may be told otherwise than they came; `410`: an end that the server never spoke of. */
export type Lie = "dropped" | "late" | "twice" | "old" | "silent" | "410";

const LATE_MS = 100;

/** Compares what is said to one watch with what came: a test of lies that were never told shows nothing. */
export function lieDetector(see: (lie: Lie) => void) {
  const came = new Map<WatchEvent, { readonly number: number; readonly at: number }>();
  const said = new Set<number>();
  let latest = 0;
  return {
    hear(event: WatchEvent): void {
      if (event.type !== "BOOKMARK") came.set(event, { number: came.size + 1, at: performance.now() });
    },
    say(event: WatchEvent): void {
      if (event.type === "BOOKMARK") return;
      const { number = 0, at = 0 } = came.get(event) ?? {};
      if (number === 0) see("410");
      else if (said.has(number)) see(number < latest ? "old" : "twice");
      else if (number > latest + 1) see("dropped");
      else if (performance.now() - at > LATE_MS) see("late");
      said.add(number);
      latest = Math.max(latest, number);
    },
    close(): void {
      if (came.size > latest) see("silent");
    },
  };
}
