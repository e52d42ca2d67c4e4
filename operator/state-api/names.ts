/** The group of states, which the operator serves behind the cluster's API server. */
import type { StateKey } from "../storage/record.ts";

export const STATE_GROUP = "state.terrarium.dev";
export const STATE_VERSION = "v1alpha1";
export const STATE_API_VERSION = `${STATE_GROUP}/${STATE_VERSION}`;
export const STATE_ROOT = `/apis/${STATE_API_VERSION}`;

export const STATES = {
  group: STATE_GROUP,
  version: STATE_VERSION,
  plural: "states",
  kind: "State",
  namespaced: true,
} as const;

/** Neither name has a dot. */
export function stateName({ environment, component }: Pick<StateKey, "environment" | "component">): string {
  return `${environment}.${component}`;
}

/** Undefined for what cannot be the name of a state. */
export function stateKeyFor(namespace: string, name: string): StateKey | undefined {
  const [environment, component, ...more] = name.split(".");
  if (!environment || !component || more.length > 0) return undefined;
  return { namespace, environment, component };
}
