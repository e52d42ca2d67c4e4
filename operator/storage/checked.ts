import { type Change, without } from "./change.ts";
import type { Claimant } from "./claims.ts";
import { type ComponentRecord, isWhole, type RecordedDrift } from "./record.ts";

/** What a Check has seen: nothing that counts, or differences; and of which version of the state. */
export interface Finding {
  readonly stateSerial: number | undefined;
  readonly drift: Pick<RecordedDrift, "counts" | "addresses" | "digest"> | undefined;
  /** The digest of the same drift as agents had it that told less. */
  readonly formerDigest?: string;
  /** Of the rules that the Check left out differences by; absent where its Run is gone. */
  readonly ignoreDigest?: string;
}

/** `outdated`: the state or what is applied has moved on, or is about to, so the finding says nothing about what is now. */
export type Checked = "noted" | "outdated";

/** May this Check speak about the record? It holds no claim, so whoever has come after it is in the right. */
export function isCurrent(record: ComponentRecord, { environmentUid, number }: Claimant): boolean {
  const { owner, ownership, movingTo, applied, claim, lock, recovery } = record;
  if (owner.environmentUid !== environmentUid || ownership !== "Owned" || movingTo !== undefined) return false;
  if (applied === undefined || !isWhole(record) || recovery !== undefined || lock !== undefined) return false;
  return (
    applied.number < number && (claim?.number ?? 0) < number && (claim === undefined || claim.fenced !== undefined)
  );
}

/** The record after a Check. What says nothing new is not written: an unchanged component costs the store nothing. */
export function checked(
  record: ComponentRecord,
  claimant: Claimant,
  { drift, formerDigest, ignoreDigest, stateSerial }: Finding,
  at: Date,
): Change<Checked> {
  if (!isCurrent(record, claimant) || record.state?.serial !== stateSerial) return { answer: "outdated" };
  const { drift: known } = record;
  // A later Check has spoken already.
  if ((known?.number ?? 0) > claimant.number) return { answer: "noted" };
  if (drift === undefined) {
    return known === undefined ? { answer: "noted" } : { next: without(record, "drift"), answer: "noted" };
  }
  const foundWith = ignoreDigest === undefined ? {} : { ignoreDigest };
  if (known !== undefined && [drift.digest, formerDigest].includes(known.digest)) {
    const now = { ...known, digest: drift.digest, ...foundWith };
    const isNews = now.digest !== known.digest || now.ignoreDigest !== known.ignoreDigest;
    return { ...(isNews ? { next: { ...record, drift: now } } : {}), answer: "noted" };
  }
  const { run, number } = claimant;
  return {
    next: { ...record, drift: { ...drift, ...foundWith, run, number, since: known?.since ?? at.toISOString() } },
    answer: "noted",
  };
}
