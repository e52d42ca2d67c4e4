import { STATE_API_VERSION, STATES } from "./names.ts";

const subresource = (name: string, verbs: readonly string[]) => ({
  name: `${STATES.plural}/${name}`,
  singularName: "",
  namespaced: true,
  kind: STATES.kind,
  verbs,
});

/**
 * What `kubectl api-resources` and the controllers of Kubernetes ask for. Without the verb `delete` the controllers that empty namespaces and
 * collect garbage let states alone.
 */
export const RESOURCE_LIST = {
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion: STATE_API_VERSION,
  resources: [
    { name: STATES.plural, singularName: "state", namespaced: true, kind: STATES.kind, verbs: ["get", "list"] },
    subresource("content", ["get", "update"]),
    subresource("imports", ["get"]),
    subresource("journal", ["get"]),
    subresource("restore", ["create"]),
    subresource("unlock", ["create"]),
  ],
} as const;
