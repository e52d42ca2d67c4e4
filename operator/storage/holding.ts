import type { HeldPlan } from "../gateway/protocol.ts";
import { type Change, without } from "./change.ts";
import { type Claimant, mustHold } from "./claims.ts";
import type { BlobRef, ComponentRecord, Held, UsedLogin } from "./record.ts";
import { Refused } from "./refusal.ts";

/**
 * The plan was judged and must wait: its pod is asked for the bundle. The login that its source was fetched with is kept, so that its branch can be
 * followed.
 */
export function mayBeHeld(
  record: ComponentRecord,
  claimant: Claimant,
  plan: HeldPlan,
  login?: UsedLogin,
): Change<undefined> {
  const claim = mustHold(record, claimant);
  if (claim.applying !== undefined)
    throw new Refused("BadRequest", "the apply has begun: its plan cannot wait any more");
  if (claim.planned?.digest === plan.digest) return { answer: undefined };
  const lent = login === undefined ? {} : { sourceCredentials: login };
  return { next: { ...record, ...lent, claim: { ...claim, planned: plan } }, answer: undefined };
}

/**
 * The bundle is stored: from now on the plan waits, and the pod that made it has nothing more to say. Exactly what is held here is
 * applied, or nothing. The same bundle may come again.
 */
export function held(record: ComponentRecord, claimant: Claimant, bundle: BlobRef, at: Date): Change<Held> {
  const before = heldFor(record, claimant);
  if (before !== undefined && before.bundle.digest === bundle.digest) return { answer: before };
  const claim = mustHold(record, claimant);
  const { planned } = claim;
  if (planned === undefined)
    throw new Refused("BadRequest", "this plan was not told to wait: POST /v1/plan comes first");
  const now = at.toISOString();
  const answer: Held = {
    run: claimant.run,
    runUid: claimant.runUid,
    plan: planned,
    bundle,
    ...(claim.archive === undefined ? {} : { archive: claim.archive }),
    at: now,
  };
  const fenced = { why: "its plan waits for approval", at: now };
  return { next: { ...record, held: answer, claim: { ...without(claim, "planned"), fenced } }, answer };
}

/** The plan of this Run that waits, if there is one. */
export function heldFor({ held }: ComponentRecord, { runUid }: Pick<Claimant, "runUid">): Held | undefined {
  return held?.runUid === runUid ? held : undefined;
}

/** The Run has ended, or begins to apply what it held: nothing of it waits any more. */
export function withoutHeld(record: ComponentRecord, runUid: string): ComponentRecord {
  return record.held?.runUid === runUid ? without(record, "held") : record;
}
