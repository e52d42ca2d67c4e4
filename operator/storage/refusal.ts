import type { StateLock } from "./record.ts";

/** Why the store's rules say no. The gateway answers with the same words. */
export type RefusalCode =
  | "NotYourRun"
  | "AlreadyClaimed"
  | "Fenced"
  | "NotApplying"
  | "Locked"
  | "LockMismatch"
  | "SerialWentBack"
  | "LineageDiffers"
  | "NotAState"
  | "StateUnsaved"
  | "OutputMissing"
  | "OutputsUnsettled"
  | "NotFound"
  | "BadRequest"
  | "Moving"
  | "InUse"
  | "WouldEmpty"
  | "MayHoldObjects"
  | "NameTaken";

/** A request that was understood and is not allowed: repeating it changes nothing, except for `Moving` and `InUse`. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly code: RefusalCode;
  /** Who holds the lock, for `Locked`. */
  readonly holder: StateLock | undefined;

  constructor(code: RefusalCode, message: string, holder?: StateLock) {
    super(message);
    this.code = code;
    this.holder = holder;
  }
}

export const isRefused = (error: unknown, ...codes: readonly RefusalCode[]): error is Refused =>
  error instanceof Refused && (codes.length === 0 || codes.includes(error.code));
