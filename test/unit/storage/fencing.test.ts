import assert from "node:assert/strict";
import fc from "fast-check";
import { changeRecord } from "../../../operator/storage/change.ts";
import { type Claimant, claim } from "../../../operator/storage/claims.ts";
import { concluded } from "../../../operator/storage/conclusion.ts";
import { acquireLock, fence, releaseLock } from "../../../operator/storage/locking.ts";
import { ensureRecord } from "../../../operator/storage/ownership.ts";
import type { StateStore } from "../../../operator/storage/port.ts";
import { readState, writeState } from "../../../operator/storage/versions.ts";
import { AT, aPod, applying, aState, ENVIRONMENT_UID, fencedRun, NETWORK } from "./claimants.ts";
import { watchedStore } from "./watched-store.ts";

type Step =
  | { readonly do: "claim" | "lock" | "unlock" | "fence" | "conclude"; readonly pod: number }
  | { readonly do: "write"; readonly pod: number; readonly serial: number };

const pod = fc.integer({ min: 1, max: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant("claim" as const), pod }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("lock" as const), pod }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("write" as const), pod, serial: fc.integer({ min: 0, max: 9 }) }),
  },
  fc.record({ do: fc.constantFrom("unlock" as const, "fence" as const, "conclude" as const), pod }),
);

/** Runs 1 to 3; number 4 is a second pod of Run 3. */
const claimantFor = (number: number): Claimant =>
  number === 4 ? aPod(3, { pod: "rival", podUid: "rival" }) : aPod(number);
const lockIdOf = ({ podUid }: Claimant): string => `lock of ${podUid}`;
const outcome = { result: "Failed", reason: "PlanFailed", message: "" } as const;

async function take(store: StateStore, step: Step): Promise<number | undefined> {
  const claimant = claimantFor(step.pod);
  const lockId = lockIdOf(claimant);
  switch (step.do) {
    case "claim":
      await changeRecord(store, NETWORK, (record) => {
        const { next, answer } = claim(record, claimant, AT);
        return next === undefined ? { answer } : { next: applying(next, claimant), answer };
      });
      return undefined;
    case "lock":
      await acquireLock(store, claimant, { id: lockId, operation: "OperationTypeApply" }, AT);
      return undefined;
    case "unlock":
      await releaseLock(store, claimant, lockId);
      return undefined;
    case "fence":
      await fence(store, NETWORK, fencedRun(claimant), "its pod is dead", AT);
      return undefined;
    case "conclude":
      await changeRecord(store, NETWORK, (record) =>
        concluded(record, claimant, { operation: "Apply", outcome, outputs: [] }, AT),
      );
      return undefined;
    case "write":
      await writeState(store, claimant, lockId, aState({ serial: step.serial, padding: claimant.podUid }), AT);
      return step.serial;
  }
}

describe("claims, locks and writes, in any order, by many at once, with failures", () => {
  it("never let two write, never let a serial go back, and never lose a write that was acknowledged", async () => {
    const lanes = fc.array(fc.array(step, { maxLength: 14 }), { minLength: 1, maxLength: 4 });
    const faults = fc.record({
      before: fc.uniqueArray(fc.nat({ max: 150 }), { maxLength: 6 }),
      after: fc.uniqueArray(fc.nat({ max: 150 }), { maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(lanes, faults, async (scripts, { before, after }) => {
        const store = watchedStore();
        await ensureRecord(store, NETWORK, ENVIRONMENT_UID);
        store.faults = {
          before: (_call, count) => failAt(before, count),
          after: (_call, count) => failAt(after, count),
        };
        let acknowledged = -1;
        const lane = async (steps: readonly Step[]) => {
          for (const step of steps) {
            const serial = await take(store, step).catch(mustBeExpected);
            if (serial !== undefined) acknowledged = Math.max(acknowledged, serial);
          }
        };
        await Promise.all(scripts.map(lane));
        store.faults = {};
        const found = await store.record(NETWORK);
        assert.ok(found);
        assert.ok((found.value.state?.serial ?? -1) >= acknowledged, "what was acknowledged is stored");
        // Every version that the record names can be read.
        if (found.value.state !== undefined) assert.ok(await readState(store, found.value));
        for (const { blob } of found.value.history) assert.ok(await store.getBlob(found.value, blob));
        const steady = [...store.heads].every((serial, at, all) => at === 0 || serial >= (all[at - 1] ?? 0));
        assert.ok(steady, "the head only moves forward");
      }),
      { numRuns: 400 },
    );
  });

  it("writes in the ordinary course: the property above is not true for want of writes", async () => {
    const store = watchedStore();
    await ensureRecord(store, NETWORK, ENVIRONMENT_UID);
    const course: readonly Step[] = [
      { do: "claim", pod: 1 },
      { do: "lock", pod: 1 },
      { do: "write", pod: 1, serial: 1 },
      { do: "write", pod: 1, serial: 2 },
      { do: "unlock", pod: 1 },
      { do: "conclude", pod: 1 },
      { do: "claim", pod: 2 },
      { do: "lock", pod: 2 },
      { do: "fence", pod: 2 },
      { do: "claim", pod: 3 },
      { do: "lock", pod: 3 },
      { do: "write", pod: 3, serial: 3 },
    ];
    for (const step of course) await take(store, step);
    assert.equal((await store.record(NETWORK))?.value.state?.serial, 3);
  });
});

class Injected extends Error {
  override readonly name = "Injected";
}

function failAt(moments: readonly number[], count: number): void {
  if (moments.includes(count)) throw new Injected("the store does not answer");
}

function mustBeExpected(error: unknown): undefined {
  const name = error instanceof Error ? error.name : "";
  if (!["Refused", "Injected", "RecordConflict"].includes(name)) throw error;
}
