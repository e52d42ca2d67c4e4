import { GATEWAY_AUDIENCE } from "../../operator/api/names.ts";
import type { Pod } from "../../operator/cluster/kinds.ts";
import type {
  Client,
  KubeObject,
  ListOptions,
  Namespace,
  Resource,
  Stored,
  TokenReviewed,
} from "../../operator/cluster/ports.ts";
import { PODS } from "../../operator/cluster/resources.ts";
import { selected } from "./selected.ts";
import { subjectOf } from "./token.ts";
import type { WorldApi } from "./world-api.ts";
import type { Mortal, Turns } from "./world-turns.ts";

export interface ClientOptions {
  readonly api: WorldApi;
  readonly turns: Turns;
  readonly sender: Mortal;
  readonly manager: string;
  /** Told of each write, by verb, after it was done. */
  readonly onWrite?: (what: string) => void;
  /** Asked before a create: throw to refuse it, as admission does. */
  readonly admit?: (resource: Resource, object: KubeObject) => void;
  /** Reads wait for their turn, too. */
  readonly gatedReads: boolean;
}

/** Of fields, one is ever asked for: the Run of an Approval. */
function isOfRun(object: KubeObject, fieldSelector: string | undefined): boolean {
  const { spec } = object as { readonly spec?: { readonly run?: { readonly name: string } } };
  return fieldSelector === undefined || fieldSelector === `spec.run.name=${spec?.run?.name}`;
}

/** What one program sees of the API server: every write, and where wanted every read, waits for its turn. */
export function worldClient(options: ClientOptions): Client {
  const { api, turns, sender, manager, gatedReads, onWrite = () => {} } = options;
  const read = async <T>(what: string, work: () => T): Promise<T> =>
    gatedReads ? turns.request(sender, what, false, work) : work();
  const write = <T>(verb: string, { kind }: Resource, name: string, work: () => unknown): Promise<T> =>
    turns.request(sender, `${verb} ${kind} ${name}`, true, () => {
      const answer = work();
      // A request that changes nothing is a request all the same.
      onWrite(`${verb} ${kind} ${name}`);
      return answer as T;
    });
  const find = <T extends KubeObject>({ plural }: Resource, namespace: Namespace, name: string) =>
    api.find<T>(plural, namespace, name);
  const unused = (verb: string) => () => Promise.reject(new Error(`nobody asks this world for ${verb}`));

  return {
    find: (resource, namespace, name) => read(`find ${resource.kind} ${name}`, () => find(resource, namespace, name)),
    get: <T extends KubeObject>(resource: Resource, namespace: Namespace, name: string) =>
      read(`get ${resource.kind} ${name}`, () => {
        const found = find<T>(resource, namespace, name);
        if (found === undefined) throw notFound(`${resource.kind} ${name}`);
        return found;
      }),
    list: unused("list"),
    listAll: <T extends KubeObject>(
      resource: Resource,
      { namespace, labelSelector, fieldSelector }: ListOptions = {},
    ) =>
      read(`list ${resource.kind}`, () => {
        const items = api
          .all<T>(resource.plural)
          .filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace)
          .filter((object) => selected(object, labelSelector) && isOfRun(object, fieldSelector));
        return { items, resourceVersion: "" };
      }),
    watch: unused("watch"),
    replace: unused("replace"),
    reviewAccess: unused("reviewAccess"),
    create: (resource, object) =>
      write("create", resource, object.metadata.name, () => {
        options.admit?.(resource, object);
        return api.create(resource, object);
      }),
    apply: (resource, object, { subresource } = {}) =>
      write(subresource === "status" ? "status" : "apply", resource, object.metadata.name, () =>
        subresource === "status" ? api.applyStatus(resource, object, manager) : api.applyObject(resource, object),
      ),
    mergePatch: (resource, namespace, name, patch, { subresource } = {}) =>
      write(subresource === "status" ? "status" : "patch", resource, name, () =>
        api.mergePatch(resource, [namespace, name], patch, { status: subresource === "status", manager }),
      ),
    jsonPatch: (resource, namespace, name, patch) =>
      write("release", resource, name, () => api.jsonPatch(resource, [namespace, name], patch)),
    delete: (resource, namespace, name, { preconditions } = {}) =>
      write("delete", resource, name, () => api.delete(resource, namespace, name, preconditions?.uid)),
    reviewToken: async (token) => review(api, token),
  };
}

import { ApiError } from "../../operator/cluster/errors.ts";

const notFound = (request: string) => new ApiError({ request, status: 404, reason: "NotFound", message: "not found" });

/** In this world a token names nothing but the UID of its pod: it is good as long as the object exists. */
function review(api: WorldApi, token: string): TokenReviewed {
  const uid = subjectOf(token);
  const pod = api.all<Pod>(PODS.plural).find(({ metadata }) => metadata.uid === uid) as Stored<Pod> | undefined;
  const { namespace = "", name = "" } = pod?.metadata ?? {};
  return {
    authenticated: pod !== undefined,
    username: `system:serviceaccount:${namespace}:default`,
    uid: "",
    groups: [],
    audiences: [GATEWAY_AUDIENCE],
    extra: {
      "authentication.kubernetes.io/pod-name": [name],
      "authentication.kubernetes.io/pod-uid": [uid],
    },
  };
}
