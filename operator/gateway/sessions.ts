import { createHmac } from "node:crypto";
import { z } from "zod";
import { operation } from "../api/run.ts";
import type { KeyRing } from "../storage/key-ring.ts";
import { sameText } from "./order.ts";

const session = z.object({
  v: z.literal(1),
  key: z.object({ namespace: z.string(), environment: z.string(), component: z.string() }),
  environmentUid: z.string(),
  run: z.string(),
  runUid: z.string(),
  number: z.int(),
  operation,
  phase: z.enum(["Plan", "Apply"]),
  pod: z.string(),
  podUid: z.string(),
});

/** Who speaks: a pod that has claimed a phase of a Run. Whether it still holds that claim is in the record. */
export type Session = Omit<z.output<typeof session>, "v">;

/**
 * A token that every replica can check and that needs no storage. It does not expire, since the pod's own token dies with its object and a state may
 * be delivered after that; the record's claim decides what it is good for.
 */
export function issueSession(ring: KeyRing, facts: Session): string {
  const payload = Buffer.from(JSON.stringify({ v: 1, ...facts })).toString("base64url");
  return `${payload}.${signatureOf(ring, payload)}`;
}

/** Undefined for everything that this installation has not issued. */
export function readSession(ring: KeyRing, token: string): Session | undefined {
  const [payload, signature, ...more] = token.split(".");
  if (payload === undefined || signature === undefined || more.length > 0) return undefined;
  if (!sameText(signatureOf(ring, payload), signature)) return undefined;
  const parsed = session.safeParse(JSON.parse(Buffer.from(payload, "base64url").toString("utf8")));
  if (!parsed.success) return undefined;
  const { v: _version, ...facts } = parsed.data;
  return facts;
}

const signatureOf = (ring: KeyRing, payload: string): string =>
  createHmac("sha256", ring.derive("session")).update(payload).digest("base64url");
