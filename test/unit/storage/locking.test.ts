import assert from "node:assert/strict";
import { claim } from "../../../operator/storage/claims.ts";
import { fenced, locked, unlocked } from "../../../operator/storage/locking.ts";
import { emptyRecord } from "../../../operator/storage/ownership.ts";
import type { ComponentRecord } from "../../../operator/storage/record.ts";
import { isRefused, type RefusalCode } from "../../../operator/storage/refusal.ts";
import { AT, aPod, ENVIRONMENT_UID, fencedRun, NETWORK } from "./claimants.ts";

const empty = emptyRecord(NETWORK, ENVIRONMENT_UID, AT);
const applied = (record: ComponentRecord, change: { readonly next?: ComponentRecord }) => change.next ?? record;
const claimed = (number: number, record = empty) => applied(record, claim(record, aPod(number), AT));
const held = (number: number) =>
  applied(claimed(number), locked(claimed(number), aPod(number), { id: "lock", operation: "" }, AT));
const refused = (code: RefusalCode) => (error: unknown) => isRefused(error, code);

describe("the lock", () => {
  it("is taken once; only the same id may ask again", () => {
    const record = held(1);
    assert.equal(locked(record, aPod(1), { id: "lock", operation: "" }, AT).next, undefined);
    assert.throws(() => locked(record, aPod(1), { id: "another", operation: "" }, AT), refused("Locked"));
  });

  it("is given back by its id, and giving it back twice is harmless", () => {
    assert.throws(() => unlocked(held(1), aPod(1), "another"), refused("LockMismatch"));
    const free = applied(held(1), unlocked(held(1), aPod(1), "lock"));
    assert.equal(free.lock, undefined);
    assert.equal(unlocked(free, aPod(1), "lock").next, undefined);
  });

  it("is released with its Run's fencing, and not with another's", () => {
    assert.equal(fenced(held(2), fencedRun(aPod(1)), "dead", AT).next, undefined);
    assert.equal(fenced(held(2), fencedRun(aPod(3)), "cancelled", AT).next, undefined);
    const free = applied(held(2), fenced(held(2), fencedRun(aPod(2)), "dead", AT));
    assert.deepEqual([free.lock, free.claim?.fenced?.why], [undefined, "dead"]);
  });
});

describe("the claim", () => {
  it("belongs to one pod, which may ask again", () => {
    assert.equal(claim(claimed(1), aPod(1), AT).next, undefined);
    assert.throws(() => claim(claimed(1), aPod(1, { podUid: "rival" }), AT), refused("AlreadyClaimed"));
    assert.throws(() => claim(claimed(1), aPod(2), AT), refused("AlreadyClaimed"));
    assert.throws(() => claim(held(1), aPod(2), AT), refused("Locked"));
  });

  it("goes to a later Run once it is fenced, and never back", () => {
    const dead = applied(claimed(2), fenced(claimed(2), fencedRun(aPod(2)), "dead", AT));
    assert.throws(() => claim(dead, aPod(2), AT), refused("Fenced"));
    assert.throws(() => claim(dead, aPod(2, { podUid: "rival" }), AT), refused("AlreadyClaimed"));
    assert.throws(() => claim(dead, aPod(1), AT), refused("Fenced"));
    assert.equal(claimed(3, dead).claim?.runUid, "run-uid-3");
  });

  it("is barred for a Run that was fenced before it claimed", () => {
    const barred = applied(empty, fenced(empty, fencedRun(aPod(1)), "cancelled", AT));
    assert.throws(() => claim(barred, aPod(1), AT), refused("AlreadyClaimed"));
    assert.equal(claimed(2, barred).claim?.runUid, "run-uid-2");
  });

  it("is refused to the pod of another Environment", () => {
    assert.throws(() => claim(empty, aPod(1, { environmentUid: "other" }), AT), refused("NotYourRun"));
    assert.throws(() => claim({ ...empty, ownership: "Released" }, aPod(1), AT), refused("NotYourRun"));
  });
});
