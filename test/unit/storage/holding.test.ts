import assert from "node:assert/strict";
import type { HeldPlan } from "../../../operator/gateway/protocol.ts";
import { blobsOf } from "../../../operator/storage/blobs.ts";
import { claim } from "../../../operator/storage/claims.ts";
import { held, heldFor, mayBeHeld } from "../../../operator/storage/holding.ts";
import { fenced } from "../../../operator/storage/locking.ts";
import { emptyRecord } from "../../../operator/storage/ownership.ts";
import type { BlobRef, ComponentRecord } from "../../../operator/storage/record.ts";
import { isRefused, type RefusalCode } from "../../../operator/storage/refusal.ts";
import { AT, aPod, ENVIRONMENT_UID, fencedRun, NETWORK } from "./claimants.ts";

const plan: HeldPlan = {
  digest: "sha256:plan",
  counts: { create: 1, update: 0, replace: 0, delete: 0 },
  empty: false,
  resources: [],
  truncated: false,
  drifted: 0,
  inputsDigest: "hmac",
};
const aBlob = (id: string, kind: BlobRef["kind"]): BlobRef => ({
  id,
  kind,
  digest: `sha256:${id}`,
  size: 1,
  chunks: 1,
});
const bundle = aBlob("bundle", "plan");
const archive = aBlob("archive", "archive");

const changed = (record: ComponentRecord, change: { readonly next?: ComponentRecord }) => change.next ?? record;
const refused = (code: RefusalCode) => (error: unknown) => isRefused(error, code);
const second = (number: number, podUid = "second") =>
  aPod(number, { phase: "Apply", pod: `shop-network-${number}-a`, podUid });

const empty = emptyRecord(NETWORK, ENVIRONMENT_UID, AT);
const claimed = changed(empty, claim(empty, aPod(1), AT));
const withArchive: ComponentRecord = { ...claimed, ...(claimed.claim && { claim: { ...claimed.claim, archive } }) };
const judged = changed(withArchive, mayBeHeld(withArchive, aPod(1), plan));
const waiting = changed(judged, held(judged, aPod(1), bundle, AT));

describe("a plan that waits in the store", () => {
  it("is kept with its bundle and what it was made from, and its pod may write nothing more", () => {
    assert.deepEqual(waiting.held?.plan, plan);
    assert.deepEqual(
      blobsOf(waiting)
        .map(({ id }) => id)
        .sort(),
      ["archive", "bundle"],
    );
    assert.throws(() => mayBeHeld(waiting, aPod(1), plan), refused("Fenced"));
  });

  it("may be handed over again by a pod that was not answered", () => {
    assert.equal(held(waiting, aPod(1), bundle, AT).next, undefined);
    assert.throws(() => held(waiting, aPod(1), aBlob("other", "plan"), AT), refused("Fenced"));
  });

  it("needs the verdict first", () => {
    assert.throws(() => held(withArchive, aPod(1), bundle, AT), refused("BadRequest"));
  });

  it("is applied by one second pod of the same Run, and by nobody else", () => {
    const taken = changed(waiting, claim(waiting, second(1), AT));
    assert.equal(taken.claim?.phase, "Apply");
    assert.deepEqual(taken.claim?.archive, archive);
    assert.equal(heldFor(taken, second(1))?.bundle.id, "bundle");
    assert.throws(() => claim(taken, second(1, "rival"), AT), refused("AlreadyClaimed"));
    assert.throws(() => claim(waiting, aPod(1, { podUid: "rival" }), AT), refused("AlreadyClaimed"));
  });

  it("does not exist for a Run that holds none", () => {
    assert.throws(
      () => claim(withArchive, second(1), AT),
      (error) => isRefused(error),
    );
    const fencedOnly = changed(claimed, fenced(claimed, fencedRun(aPod(1)), "dead", AT));
    assert.throws(() => claim(fencedOnly, second(1), AT), refused("Fenced"));
  });

  it("goes when its Run ends, and then no pod can come to apply it", () => {
    const ended = changed(waiting, fenced(waiting, fencedRun(aPod(1)), "rejected", AT));
    assert.equal(ended.held, undefined);
    assert.throws(() => claim(ended, second(1), AT), refused("Fenced"));
  });

  it("stays when another Run is fenced", () => {
    const other = changed(waiting, fenced(waiting, fencedRun(aPod(2)), "cancelled", AT));
    assert.deepEqual(other.held, waiting.held);
  });
});
