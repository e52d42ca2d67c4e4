import assert from "node:assert/strict";
import fc from "fast-check";
import { tally } from "../../../operator/approval/tally.ts";
import { T0 } from "../../fakes/objects.ts";
import { anApproval, aQuestion, OTHER_DIGEST } from "./approvals.ts";

const soon = T0 + 5 * 60_000;
const late = T0 + 60 * 60_000;
const standing = (required: number, approvals: Parameters<typeof tally>[1], nowMs = soon) =>
  tally(aQuestion(required), approvals, nowMs).standing;

describe("What people said about a plan", () => {
  it("suffices when as many different people as are required said yes", () => {
    assert.equal(standing(2, [anApproval()]).type, "waiting");
    const both = standing(2, [anApproval(), anApproval({ approver: "bob" })]);
    assert.deepEqual(both, { type: "approved", by: ["ada", "bob"], expiresAtMs: late });
  });

  it("counts the same person once, however often they say it", () => {
    const twice = tally(aQuestion(2), [anApproval(), anApproval({ after: 2 })], soon);
    assert.deepEqual(twice.standing, { type: "waiting", given: 1, required: 2, expiresAtMs: late });
    assert.match(twice.words[1]?.ignored ?? "", /same person/);
  });

  it("is a no as soon as one person says no, also where others said yes before", () => {
    const no = anApproval({ approver: "bob", decision: "Reject", reason: "not on a Friday", after: 3 });
    assert.deepEqual(standing(1, [anApproval(), no]), { type: "rejected", by: "bob", reason: "not on a Friday" });
    const changedTheirMind = anApproval({ decision: "Reject", after: 2 });
    assert.equal(standing(1, [anApproval(), changedTheirMind]).type, "rejected");
  });

  it("expires with the plan, whatever was said by then", () => {
    assert.equal(standing(1, [], late).type, "expired");
    assert.equal(standing(1, [anApproval()], late).type, "expired");
    assert.equal(standing(1, [anApproval()], late - 1).type, "approved");
  });

  const ignored = [
    { what: "another plan", facts: { planDigest: OTHER_DIGEST }, why: /another plan/ },
    { what: "a Run of the same name that is another", facts: { run: { name: "the-run", uid: "old" } }, why: /UID/ },
    { what: "another Environment", facts: { environment: "bank" }, why: /Environment bank/ },
    { what: "a plan that had expired", facts: { after: 60 }, why: /too late/ },
  ];
  for (const { what, facts, why } of ignored) {
    it(`does not count for ${what}, neither as yes nor as no`, () => {
      for (const decision of ["Approve", "Reject"] as const) {
        const said = tally(aQuestion(), [anApproval({ ...facts, decision })], soon);
        assert.equal(said.standing.type, "waiting");
        assert.match(said.words[0]?.ignored ?? "", why);
      }
    });
  }

  it("counts also where the clock of the API server is behind, so that it seems to be older than the plan", () => {
    const early = (decision: "Approve" | "Reject") => anApproval({ approver: "bob", decision, after: -10 });
    assert.equal(standing(1, [early("Approve")]).type, "approved");
    assert.deepEqual(standing(1, [early("Reject"), anApproval()]), { type: "rejected", by: "bob", reason: undefined });
  });

  it("is not mixed up with what was said about other Runs", () => {
    const other = anApproval({ run: { name: "another-run", uid: "run-uid" } });
    assert.deepEqual(tally(aQuestion(), [other], soon).words, []);
  });

  it("never suffices with fewer different names than are required, in any order, and one no outweighs all", () => {
    const anyWord = fc.record({
      approver: fc.constantFrom("ada", "bob", "cyd", "dan"),
      decision: fc.constantFrom("Approve" as const, "Approve" as const, "Approve" as const, "Reject" as const),
      planDigest: fc.constantFrom(aQuestion().planDigest, aQuestion().planDigest, OTHER_DIGEST),
      after: fc.integer({ min: -2, max: 70 }),
    });
    fc.assert(
      fc.property(fc.array(anyWord, { maxLength: 8 }), fc.integer({ min: 0, max: 4 }), (said, required) => {
        const approvals = said.map((facts, index) => anApproval({ ...facts, name: `a-${index}` }));
        const { standing: now, words } = tally(aQuestion(required), approvals, soon);
        const counted = words.filter((word) => word.ignored === undefined);
        const yes = new Set(counted.filter(({ decision }) => decision === "Approve").map(({ approver }) => approver));
        const no = counted.some(({ decision }) => decision === "Reject");
        assert.equal(now.type, no ? "rejected" : yes.size >= required ? "approved" : "waiting");
        const again = tally(aQuestion(required), approvals.toReversed(), soon);
        assert.deepEqual(again.standing, now);
      }),
    );
  });
});
