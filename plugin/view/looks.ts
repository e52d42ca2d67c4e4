/** How a state looks in a picture. Every colour is told apart by its stroke's brightness, too. */
export type Kind = "done" | "busy" | "asks" | "broken" | "still";

export const LOOKS: Readonly<Record<Kind, { readonly fill: string; readonly stroke: string }>> = {
  done: { fill: "#dafbe1", stroke: "#1a7f37" },
  busy: { fill: "#ddf4ff", stroke: "#0969da" },
  asks: { fill: "#fff8c5", stroke: "#9a6700" },
  broken: { fill: "#ffebe9", stroke: "#cf222e" },
  still: { fill: "#f6f8fa", stroke: "#8c959f" },
};

const KINDS: Readonly<Record<string, Kind>> = {
  Ready: "done",
  Planning: "busy",
  Checking: "busy",
  Applying: "busy",
  Destroying: "busy",
  AwaitingApproval: "asks",
  Drifted: "asks",
  Suspended: "asks",
  Failed: "broken",
  Stalled: "broken",
  Interrupted: "broken",
};

export const kindOf = (state: string): Kind => KINDS[state] ?? "still";
