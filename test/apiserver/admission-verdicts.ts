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
