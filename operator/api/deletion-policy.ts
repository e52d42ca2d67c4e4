import type { Component, DeletionPolicy } from "./component.ts";
import type { Environment } from "./environment.ts";

/** What becomes of a component's objects when it goes. Of one whose declaration is gone, what that said is remembered in the status. */
export function deletionPolicyOf(
  { spec, status }: Environment,
  component: string,
  declared: Pick<Component, "deletionPolicy"> | undefined,
): DeletionPolicy {
  const remembered = status?.components?.find(({ name }) => name === component)?.deletionPolicy;
  return declared?.deletionPolicy ?? remembered ?? spec.deletionPolicy ?? "Destroy";
}
