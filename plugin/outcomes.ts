/** Somebody has to say yes, and did not, or could not be asked. */
export class NotConfirmed extends Error {
  override readonly name = "NotConfirmed";
}

/** What was asked for is not there yet. */
export class NotReady extends Error {
  override readonly name = "NotReady";
}
