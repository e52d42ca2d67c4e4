import type { KubeObject, Namespace, Resource } from "./ports.ts";
import { apiVersionOf } from "./resources.ts";

/** `/api/v1/…` or `/apis/group/version/…`; without a namespace, the collection across all of them. */
export function collectionOf(resource: Resource, namespace: Namespace): string {
  const root = `/${resource.group === "" ? "api" : "apis"}/${apiVersionOf(resource)}`;
  const within = resource.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root}${within}/${resource.plural}`;
}

/** One object. Throws when the namespace of a namespaced kind is missing, rather than asking for something else. */
export function objectAt(resource: Resource, namespace: Namespace, name: string, subresource?: string): string {
  // A dot would be taken for a step in the path, by whatever is in between.
  if (["", ".", ".."].includes(name)) throw new TypeError(`A ${resource.kind} needs a name, not "${name}"`);
  const path = `${placeOf(resource, namespace)}/${encodeURIComponent(name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** Where an object is created. */
export function placeOf(resource: Resource, namespace: Namespace): string {
  if (resource.namespaced && !namespace) throw new TypeError(`A ${resource.kind} needs a namespace`);
  return collectionOf(resource, namespace);
}

/** Items of lists and objects that we make leave out what the resource already says. */
export function typed<T extends KubeObject>(resource: Resource, object: T): T {
  return { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind };
}
