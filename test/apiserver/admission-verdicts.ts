import assert from "node:assert/strict";
import type { Answer } from "./admission-server.ts";

/** What an answer is to be, for the suites about who may write what. */

export async function accepted(answer: Promise<Answer>): Promise<void> {
  const { status, message } = await answer;
  assert.ok(status < 300, `${status} ${message}`);
}

/** Refused by a policy of the chart, whose sentence it is; a missing right would say something else. */
export async function refused(answer: Promise<Answer>, sentence: string): Promise<void> {
  const { status, message } = await answer;
  assert.ok(status === 403 || status === 422, `${status} ${message}`);
  assert.ok(message.includes("ValidatingAdmissionPolicy"), message);
  assert.ok(message.includes(sentence), message);
}

export type Refusal<Change> = readonly [what: string, change: Change, sentence: string];
export type Acceptance<Change> = readonly [what: string, change: Change];

/** A test for each change that the schema refuses, with words of its sentence. */
export function itRefuses<Change>(
  refusals: readonly Refusal<Change>[],
  create: (change: Change) => Promise<Answer>,
): void {
  for (const [what, change, sentence] of refusals) {
    it(`refuses ${what}`, async () => {
      const { status, message } = await create(change);
      assert.ok(status === 422 || status === 400, `${status} ${message}`);
      assert.ok(message.includes(sentence), message.slice(0, 2_000));
    });
  }
}

/** A test for each change that is accepted. */
export function itAccepts<Change>(
  changes: readonly Acceptance<Change>[],
  create: (change: Change) => Promise<Answer>,
): void {
  for (const [what, change] of changes) {
    it(`accepts ${what}`, async () => {
      const { status, message } = await create(change);
      assert.equal(status, 201, message);
    });
  }
}
