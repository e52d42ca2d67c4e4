/** The ways in which an attempt ends before or after the engine ran; the story throws these, one place reports them. */
import type { Reason } from "../../operator/api/conditions.ts";
import type { RunOutcome } from "../../operator/api/run-status.ts";

export type Outcome = RunOutcome;

/** The attempt is over, and this is how. Not an error of the agent: thrown so that the story stays a story. */
export class Ended extends Error {
  override readonly name = "Ended";
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    super(outcome.message);
    this.outcome = outcome;
  }
}

export function failed(reason: Reason, message: string, more: Partial<Outcome> = {}): Ended {
  return new Ended({ result: "Failed", reason, message, retry: "Backoff", ...more });
}

export function waiting(reason: "InputMissing" | "CredentialsMissing" | "StateLocked", message: string): Ended {
  return new Ended({ result: "Waiting", reason, message });
}
