import assert from "node:assert/strict";
import fc from "fast-check";
import { checked, type Finding, isCurrent } from "../../../operator/storage/checked.ts";
import { mustHold } from "../../../operator/storage/claims.ts";
import type { ComponentRecord } from "../../../operator/storage/record.ts";
import { isRefused } from "../../../operator/storage/refusal.ts";
import { renamed } from "../../../operator/storage/rename.ts";
import { appliedBy, aRecord, aRun } from "../../fakes/objects.ts";
import { runSpec } from "../run/observations.ts";
import { AT, aPod, NETWORK } from "./claimants.ts";

const LATER = new Date(AT.getTime() + 60_000);
const counts = { create: 0, update: 1, replace: 0, delete: 0 };
const edited = { counts, addresses: ["thing.a"], digest: "sha256:a" };
const state = {
  lineage: "l",
  serial: 3,
  resources: 1,
  blob: { id: "b", kind: "state", digest: "sha256:0", size: 1, chunks: 1 },
  run: "shop-network-4",
  at: AT.toISOString(),
} as const;

/** A component that Run 4 has applied. */
const aComponent = (more: Partial<ComponentRecord> = {}): ComponentRecord =>
  aRecord("network", { key: NETWORK, state, applied: appliedBy(aRun(runSpec({ number: 4 }))), ...more });

const check = aPod(5);
const found = (drift: Finding["drift"], stateSerial: number | undefined = 3): Finding => ({ stateSerial, drift });

describe("what a Check has found", () => {
  it("is recorded once, with the moment at which it was found first", () => {
    const first = checked(aComponent(), check, found(edited), AT).next;
    assert.deepEqual(first?.drift, { ...edited, run: check.run, number: 5, since: AT.toISOString() });
    const same = checked(first, aPod(6), found(edited), LATER);
    assert.deepEqual(same, { answer: "noted" });
    const other = checked(first, aPod(7), found({ ...edited, digest: "sha256:b" }), LATER).next;
    assert.deepEqual([other?.drift?.number, other?.drift?.since], [7, AT.toISOString()]);
  });

  it("keeps the Check that found it where only its digest is told in another way by now", () => {
    const first = checked(aComponent(), check, found(edited), AT).next as ComponentRecord;
    const told = { ...found({ ...edited, digest: "sha256:of-more" }), formerDigest: edited.digest };
    const { next } = checked(first, aPod(6), told, LATER);
    assert.deepEqual(next?.drift, { ...first.drift, digest: "sha256:of-more" });
  });

  it("is recorded with what was to be ignored, also where the same is found with other rules, and then once", () => {
    const leavingOut = (ignoreDigest: string): Finding => ({ ...found(edited), ignoreDigest });
    const first = checked(aComponent(), check, leavingOut("sha256:none"), AT).next as ComponentRecord;
    assert.equal(first.drift?.ignoreDigest, "sha256:none");
    const second = checked(first, aPod(6), leavingOut("sha256:tags"), LATER).next as ComponentRecord;
    assert.deepEqual(second.drift, { ...first.drift, ignoreDigest: "sha256:tags" });
    assert.deepEqual(checked(second, aPod(7), leavingOut("sha256:tags"), LATER), { answer: "noted" });
  });

  it("is recorded with what was to be ignored where an older version has recorded the same", () => {
    const { next } = checked(aComponent(), check, found(edited), AT);
    assert.ok(next !== undefined && !("ignoreDigest" in (next.drift ?? {})));
    const later = checked(next, aPod(6), { ...found(edited), ignoreDigest: "sha256:none" }, LATER).next;
    assert.deepEqual(later?.drift, { ...next.drift, ignoreDigest: "sha256:none" });
  });

  it("keeps what is known to have been ignored where the Run that would say it is gone", () => {
    const first = checked(aComponent(), check, { ...found(edited), ignoreDigest: "sha256:none" }, AT).next;
    assert.deepEqual(checked(first as ComponentRecord, aPod(6), found(edited), LATER), { answer: "noted" });
  });

  it("costs no write where nothing differs and nothing did", () => {
    assert.deepEqual(checked(aComponent(), check, found(undefined), AT), { answer: "noted" });
  });

  it("takes a drift off the record when it is gone", () => {
    const drifted = checked(aComponent(), check, found(edited), AT).next as ComponentRecord;
    assert.equal(checked(drifted, aPod(6), found(undefined), AT).next?.drift, undefined);
  });

  it("is gone when a Check of another name finds nothing, whose number is lower after the rename", () => {
    const drifted = checked(aComponent(), aPod(40), found(edited), AT).next as ComponentRecord;
    const { next } = checked(renamed(drifted, { ...NETWORK, component: "net" }), check, found(undefined), LATER);
    assert.ok(next !== undefined && next.drift === undefined);
  });

  it("says nothing when it is heard after a later Check", () => {
    const drifted = checked(aComponent(), aPod(9), found(edited), AT).next as ComponentRecord;
    assert.deepEqual(checked(drifted, check, found(undefined), LATER), { answer: "noted" });
  });

  const fenced = { why: "its result was reported", at: AT.toISOString() };
  const claimOf = (number: number, more: object = {}) => ({
    run: `shop-network-${number}`,
    runUid: `run-uid-${number}`,
    number,
    phase: "Plan" as const,
    podUid: "pod",
    at: AT.toISOString(),
    ...more,
  });
  const outdated: readonly (readonly [string, Partial<ComponentRecord>, Finding?])[] = [
    ["another version of the state is stored", {}, found(edited, 2)],
    ["a later Run has applied", { applied: appliedBy(aRun(runSpec({ number: 6 }))) }],
    ["an apply has begun and has not ended well", { attempted: appliedBy(aRun(runSpec({ number: 4 }))) }],
    ["a later Run has claimed", { claim: claimOf(6, { fenced }) }],
    ["an earlier Run may still write", { claim: claimOf(4) }],
    ["the state belongs to another Environment", { owner: { environmentUid: "another" } }],
    ["the state was released", { ownership: "Released" }],
    ["the state is being renamed", { movingTo: "net" }],
    ["a recovery copy waits", { recovery: { blob: state.blob, run: "r", at: AT.toISOString() } }],
  ];
  for (const [when, more, finding = found(edited)] of outdated) {
    it(`does not count when ${when}`, () => {
      assert.deepEqual(checked(aComponent(more), check, finding, AT), { answer: "outdated" });
    });
  }

  it("counts after the claim of the Run that applied has ended", () => {
    assert.ok(isCurrent(aComponent({ claim: claimOf(4, { fenced }) }), check));
  });
});

describe("for any record", () => {
  it("a Check changes nothing but what is known of drift, and may not write", () => {
    const any = fc.record({
      serial: fc.option(fc.nat(5), { nil: undefined }),
      number: fc.integer({ min: 1, max: 9 }),
      drifts: fc.boolean(),
      claimed: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
      fenced: fc.boolean(),
    });
    fc.assert(
      fc.property(any, ({ serial, number, drifts, claimed, fenced }) => {
        const mark = fenced ? { fenced: { why: "", at: "" } } : {};
        const claim =
          claimed === undefined
            ? {}
            : {
                claim: { run: "r", runUid: "u", number: claimed, phase: "Plan" as const, podUid: "p", at: "", ...mark },
              };
        const record = aComponent(claim);
        const pod = aPod(number);
        const { next } = checked(record, pod, found(drifts ? edited : undefined, serial), AT);
        const { drift: _found, ...rest } = next ?? record;
        assert.deepEqual(rest, record);
        assert.throws(
          () => mustHold(record, pod),
          (error) => isRefused(error, "Fenced"),
        );
      }),
    );
  });
});
