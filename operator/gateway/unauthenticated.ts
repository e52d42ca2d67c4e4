/** Neither a pod's token nor a session of ours. */
export class Unauthenticated extends Error {
  override readonly name = "Unauthenticated";
}
