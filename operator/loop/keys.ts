import type { KubeObject, Namespace } from "../cluster/ports.ts";

/** `namespace/name`, or `/name` for cluster-scoped kinds: what stores and queues go by. Neither part can hold a slash. */
export const keyFor = (namespace: Namespace, name: string): string => `${namespace ?? ""}/${name}`;

export const keyOf = ({ metadata }: KubeObject): string => keyFor(metadata.namespace, metadata.name);

export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const at = key.indexOf("/");
  return { namespace: key.slice(0, at), name: key.slice(at + 1) };
}
