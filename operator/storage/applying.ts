import type { Operation, RunSpec } from "../api/run.ts";
import type { Change } from "./change.ts";
import { type Claimant, mustHold } from "./claims.ts";
import { cutOffInTheWay } from "./cut-off.ts";
import {
  type Applied,
  type BlobRef,
  type Claim,
  type ComponentRecord,
  destroyBasisOf,
  replacingWrite,
  writingText,
} from "./record.ts";
import { cutOffThatKeepsAwake } from "./record-of-applies.ts";
import { Refused } from "./refusal.ts";

/** What a Run means to do, as the record keeps it. */
export type Intent = Omit<Applied, "archive" | "outputs" | "at">;

export function intentOf(claimant: Claimant, spec: RunSpec, revision: string | undefined): Intent {
  const used = spec.inputs.revision ?? revision;
  return {
    desiredDigest: spec.desiredDigest,
    run: claimant.run,
    runUid: claimant.runUid,
    number: spec.number,
    engine: spec.engine,
    inputs: spec.inputs,
    ...(used === undefined ? {} : { revision: used }),
    ...(spec.request === undefined ? {} : { request: spec.request }),
  };
}

export type Permission =
  | { readonly type: "granted"; readonly at: string }
  /** This pod was told to apply another plan before: how far that went is not known, so nothing is applied on top of it. */
  | { readonly type: "begun"; readonly planDigest: string }
  /** What came before asks for a person's eyes, and nobody has looked at this plan. */
  | { readonly type: "unseen"; readonly why: string };

export interface WantsToApply {
  readonly operation: Operation;
  readonly planDigest: string;
  readonly intent: Intent;
  /** It brings back what has drifted. */
  readonly correction: boolean;
  /** People were asked about this very plan, and have agreed. */
  readonly shown: boolean;
  /** A destroy that nobody has asked for at this moment: something falls asleep. */
  readonly ofItself?: boolean;
}

/**
 * Records that an apply begins, before anybody is told: from then on objects may exist, and destroying knows what from. May be repeated for
 * the same plan.
 */
export function permitted(
  record: ComponentRecord,
  claimant: Claimant,
  { operation, planDigest, intent, correction, shown, ofItself = false }: WantsToApply,
  at: Date,
): Change<Permission> {
  const claim = mustHold(record, claimant);
  const { applying } = claim;
  if (applying !== undefined) {
    const same = applying.planDigest === planDigest;
    return { answer: same ? { type: "granted", at: applying.at } : { type: "begun", planDigest: applying.planDigest } };
  }
  const unseen = operation === "Apply" || ofItself ? whyUnseen(record, claim, { intent, shown, ofItself }) : undefined;
  if (unseen !== undefined) return { answer: { type: "unseen", why: unseen } };
  const begunAt = at.toISOString();
  return {
    next: {
      ...record,
      claim: { ...claim, applying: { planDigest, at: begunAt } },
      mayHoldObjects: true,
      ...(operation === "Apply"
        ? { attempted: { ...intent, ...corrects(record, correction), archive: archiveIn(claim), at: begunAt } }
        : { destroyBegun: { run: claimant.run, at: begunAt } }),
    },
    answer: { type: "granted", at: begunAt },
  };
}

/**
 * Why somebody has to look first. That a plan was asked for since an apply was cut off is a person's word about it; it is none about a state that
 * was put in. A plan that was shown before that is another plan.
 */
function whyUnseen(
  record: ComponentRecord,
  { number = 0 }: Claim,
  { intent, shown, ofItself }: Pick<WantsToApply, "intent" | "shown" | "ofItself">,
): string | undefined {
  const run = ofItself ? cutOffThatKeepsAwake(record.cutOff, record)?.run : cutOffInTheWay(record, intent);
  if (run !== undefined && !shown) return `Run ${run} was interrupted, and nobody has said how to go on`;
  const replaced = replacingWrite(record);
  if (replaced === undefined || (shown && number > (replaced.after ?? 0))) return undefined;
  return `${writingText(replaced)}, and nobody has seen what follows from that`;
}

const corrects = ({ attempted }: ComponentRecord, correction: boolean) =>
  correction || attempted?.correction ? ({ correction: true } as const) : {};

function archiveIn({ archive }: Claim): BlobRef {
  if (archive !== undefined) return archive;
  throw new Refused("BadRequest", "the archive of this attempt is missing: PUT /v1/archive comes before POST /v1/plan");
}

/** Attaches the archive of an attempt to its claim, as long as nothing was applied from another one. */
export function archived(record: ComponentRecord, claimant: Claimant, archive: BlobRef): Change<undefined> {
  const claim = mustHold(record, claimant);
  if (claim.archive?.digest === archive.digest) return { answer: undefined };
  if (claim.applying !== undefined)
    throw new Refused("BadRequest", "the apply has begun: the archive of this attempt cannot change any more");
  return { next: { ...record, claim: { ...claim, archive } }, answer: undefined };
}

/** Archive and folder that a destroy works from; refuses where nothing was ever applied. */
export function destroyBasis(record: ComponentRecord): { readonly archive: BlobRef; readonly path: string } {
  const basis = destroyBasisOf(record);
  if (basis === undefined)
    throw new Refused("NotFound", "nothing was ever applied here, so there is nothing to destroy from");
  return { archive: basis.archive, path: basis.inputs.path };
}
