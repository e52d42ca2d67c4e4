import assert from "node:assert/strict";
import type { JournalEntry } from "../../../operator/gateway/protocol.ts";
import { type Evidence, leftovers } from "../../../operator/storage/leftovers.ts";
import { AT } from "./claimants.ts";

const entry = (event: JournalEntry["event"], action: string, address: string, idValue?: string): JournalEntry => ({
  at: AT.toISOString(),
  event,
  address,
  action,
  ...(idValue === undefined ? {} : { idKey: "id", idValue }),
});
const began = (address: string) => entry("apply_start", "create", address);
const created = (address: string, id?: string) => [began(address), entry("apply_complete", "create", address, id)];
const failed = (address: string) => [began(address), entry("apply_errored", "create", address)];
/** Engines name the id where a deletion begins, and not where it ends. */
const deleted = (address: string, id: string) => [
  entry("apply_start", "delete", address, id),
  entry("apply_complete", "delete", address),
];
const object = (address: string, id?: string) => ({ address, attributes: id === undefined ? {} : { id } });

const leftBy = (facts: Partial<Evidence>) =>
  leftovers({ entries: [], stored: [], before: [], isCutOff: true, ...facts });

describe("What an apply has left that is in no state", () => {
  it("is what was created, or begun to be", () => {
    const journal = [
      ...created("a.known", "1"),
      ...created("a.lost", "2"),
      began("a.begun"),
      ...deleted("a.gone", "3"),
      entry("apply_complete", "update", "a.changed", "4"),
    ];
    const left = leftBy({ entries: journal, stored: [object("a.known", "1")] });
    assert.deepEqual(left, [{ address: "a.lost", id: "2" }, { address: "a.begun" }]);
  });

  const before = [object("a.b", "old")];
  const replaced = { address: "a.b", id: "new", replaces: true };
  for (const [order, journal] of [
    ["deleted first", [...deleted("a.b", "old"), ...created("a.b", "new")]],
    ["created first", [...created("a.b", "new"), ...deleted("a.b", "old")]],
  ] as const)
    describe(`of a replacement that is ${order}`, () => {
      it("is the new object, as long as the state has the old one under that address", () => {
        assert.deepEqual(leftBy({ entries: journal, before, stored: before }), [replaced]);
      });

      it("is the new object where the state has none", () => {
        assert.deepEqual(leftBy({ entries: journal, before, stored: [] }), [{ address: "a.b", id: "new" }]);
      });

      it("is nothing once the state has the new object, whatever is left of the old one", () => {
        assert.deepEqual(leftBy({ entries: journal, before, stored: [object("a.b", "new")] }), []);
        assert.deepEqual(leftBy({ entries: journal, before, stored: [object("a.b", "new"), ...before] }), []);
      });

      it("is the new object, too, whose end was never told", () => {
        const begun = journal.filter(({ event, action }) => event !== "apply_complete" || action !== "create");
        assert.deepEqual(leftBy({ entries: begun, before, stored: before }), [{ address: "a.b", replaces: true }]);
        assert.deepEqual(leftBy({ entries: begun, before, stored: [object("a.b", "new")] }), []);
      });
    });

  it("is not what was stored before the engine could tell that it was created", () => {
    assert.deepEqual(leftBy({ entries: [began("a.b")], stored: [object("a.b", "new")] }), []);
  });

  it("may be what a creation that failed has made, where the apply was cut off before its state was stored", () => {
    const journal = failed("a.b");
    assert.deepEqual(leftBy({ entries: journal, before, stored: before }), [{ address: "a.b", replaces: true }]);
    assert.deepEqual(leftBy({ entries: journal }), [{ address: "a.b" }]);
    assert.deepEqual(leftBy({ entries: journal, stored: [object("a.b", "tainted")] }), []);
    assert.deepEqual(leftBy({ entries: journal, isCutOff: false }), [], "its state tells");
  });

  it("is found by address where a provider gives no ids", () => {
    const journal = created("a.b");
    assert.deepEqual(leftBy({ entries: journal, stored: [object("a.b")] }), []);
    assert.deepEqual(leftBy({ entries: journal, stored: [object("a.b")], before: [object("a.b")] }), [
      { address: "a.b", replaces: true },
    ]);
  });

  it("is found by id where the address holds a secret, and by address where the id does", () => {
    const hidden = "(sensitive)";
    assert.deepEqual(leftBy({ entries: created(`a.b["${hidden}"]`, "1"), stored: [object('a.b["s3cret"]', "1")] }), []);
    assert.deepEqual(leftBy({ entries: created("a.b", hidden), stored: [object("a.b", "s3cret")] }), []);
  });
});
