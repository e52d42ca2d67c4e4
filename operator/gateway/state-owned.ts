/** The state of that name belongs to another Environment. */
export class StateOwnedByOther extends Error {
  override readonly name = "StateOwnedByOther";
}
