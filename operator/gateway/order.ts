import { createHmac, timingSafeEqual } from "node:crypto";
import type { KeyRing } from "../storage/key-ring.ts";

/** What the operator states about a pod when it makes it. */
export interface Order {
  readonly runUid: string;
  readonly podName: string;
  readonly phase: "Plan" | "Apply";
}

/** The value of the annotation `terrarium.dev/order`: nobody but the operator can make a pod that the gateway accepts. */
export function signOrder(ring: KeyRing, { runUid, podName, phase }: Order): string {
  return createHmac("sha256", ring.derive("order")).update(`${runUid}|${podName}|${phase}`).digest("base64url");
}

export function verifyOrder(ring: KeyRing, order: Order, signature: string | undefined): boolean {
  return signature !== undefined && sameText(signOrder(ring, order), signature);
}

/** Compares in a time that tells nothing about where the texts differ. */
export function sameText(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
