import type { KubeObject, ObjectReference, Resource, Stored } from "./ports.ts";

const core = (plural: string, kind: string, namespaced = true): Resource => ({
  group: "",
  version: "v1",
  plural,
  kind,
  namespaced,
});
const grouped = (group: string, version: string, plural: string, kind: string, namespaced = true): Resource => ({
  group,
  version,
  plural,
  kind,
  namespaced,
});

export const PODS = core("pods", "Pod");
export const SECRETS = core("secrets", "Secret");
export const CONFIG_MAPS = core("configmaps", "ConfigMap");
export const SERVICES = core("services", "Service");
export const NODES = core("nodes", "Node", false);
export const NAMESPACES = core("namespaces", "Namespace", false);
export const EVENTS = grouped("events.k8s.io", "v1", "events", "Event");
export const LEASES = grouped("coordination.k8s.io", "v1", "leases", "Lease");
export const TOKEN_REVIEWS = grouped("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", false);
export const SUBJECT_ACCESS_REVIEWS = grouped(
  "authorization.k8s.io",
  "v1",
  "subjectaccessreviews",
  "SubjectAccessReview",
  false,
);
export const SELF_SUBJECT_REVIEWS = grouped(
  "authentication.k8s.io",
  "v1",
  "selfsubjectreviews",
  "SelfSubjectReview",
  false,
);
export const SELF_SUBJECT_ACCESS_REVIEWS = grouped(
  "authorization.k8s.io",
  "v1",
  "selfsubjectaccessreviews",
  "SelfSubjectAccessReview",
  false,
);
export const DEPLOYMENTS = grouped("apps", "v1", "deployments", "Deployment");
export const CUSTOM_RESOURCE_DEFINITIONS = grouped(
  "apiextensions.k8s.io",
  "v1",
  "customresourcedefinitions",
  "CustomResourceDefinition",
  false,
);
export const API_SERVICES = grouped("apiregistration.k8s.io", "v1", "apiservices", "APIService", false);

export const ENVIRONMENTS = grouped("terrarium.dev", "v1alpha1", "environments", "Environment");
export const APPROVALS = grouped("terrarium.dev", "v1alpha1", "approvals", "Approval");
export const RUNS = grouped("terrarium.dev", "v1alpha1", "runs", "Run");

/** `v1` or `group/version`, as objects carry it. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}

/** How events and owner references name an object; items of a list carry no kind, the resource does. */
export function referenceTo(resource: Resource, object: Stored<KubeObject>): ObjectReference {
  const { namespace, name, uid } = object.metadata;
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    uid,
  };
}
