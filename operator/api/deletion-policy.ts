import type { Component, DeletionPolicy } from "./component.ts";
import type { Environment } from "./environment.ts";

export const KEPT = "deletionPolicy is Retain: what exists is kept";

/** What becomes of a component's objects when it goes. Of one whose declaration is gone, what that said is remembered in the status. */
export function deletionPolicyOf(
  { spec, status }: Environment,
  component: string,
  declared: Pick<Component, "deletionPolicy"> | undefined,
): DeletionPolicy {
  const line = status?.components?.find(({ name }) => name === component);
  const own = declared === undefined ? line?.deletionPolicy : declared.deletionPolicy;
  return own ?? spec.deletionPolicy ?? "Destroy";
}
