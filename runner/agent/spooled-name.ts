/** What the relay has still to send, as the name of its file: in order, what it is, and under which lock. */
export interface Spooled {
  readonly sequence: number;
  readonly kind: "state" | "unlock";
  readonly lockId: string;
}

export function spooledName({ sequence, kind, lockId }: Spooled): string {
  return `${String(sequence).padStart(8, "0")}.${kind}.${encodeURIComponent(lockId).replaceAll(".", "%2E")}`;
}

export function readSpooledName(name: string): Spooled {
  const [sequence, kind, lockId = ""] = name.split(".");
  return {
    sequence: Number(sequence),
    kind: kind === "unlock" ? "unlock" : "state",
    lockId: decodeURIComponent(lockId),
  };
}
