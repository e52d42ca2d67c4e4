import { FIELD_MANAGER } from "../api/names.ts";
import { applyBody } from "./apply-body.ts";
import type { Call } from "./call.ts";
import { isNotFound, NotLeading } from "./errors.ts";
import { objectAt, placeOf, typed } from "./paths.ts";
import type { KubeObject, Namespace, Resource, Stored, WriteOptions, Writer } from "./ports.ts";
import { SECRETS } from "./resources.ts";
import type { Transport } from "./transport.ts";

export interface WriterOptions {
  /** Asked before every attempt of a write, so that a process that was frozen does not write on waking. */
  readonly mayWrite?: () => boolean;
  readonly fieldManager?: string;
}

type Write = Omit<Call, "resource" | "secret" | "admit">;

export function createWriter(transport: Transport, options: WriterOptions = {}): Writer {
  const { mayWrite, fieldManager = FIELD_MANAGER } = options;
  const admit = (request: string) => {
    if (mayWrite !== undefined && !mayWrite()) throw new NotLeading(request);
  };
  const write = async <T extends KubeObject>(resource: Resource, call: Write): Promise<Stored<T>> => {
    const secret = resource.plural === SECRETS.plural && resource.group === SECRETS.group;
    const answer = await transport.call({ ...call, resource: resource.plural, secret, admit });
    return answer as Stored<T>;
  };
  const patchWith =
    (contentType: string) =>
    <T extends KubeObject>(
      resource: Resource,
      namespace: Namespace,
      name: string,
      body: unknown,
      { subresource, ...options }: WriteOptions = {},
    ) =>
      write<T>(resource, {
        ...options,
        verb: "patch",
        method: "PATCH",
        path: objectAt(resource, namespace, name, subresource),
        query: { fieldManager },
        body,
        contentType,
        idempotent: false,
      });

  return {
    create: (resource, object, options) =>
      write(resource, {
        ...options,
        verb: "create",
        method: "POST",
        path: placeOf(resource, object.metadata.namespace),
        query: { fieldManager },
        body: typed(resource, object),
        idempotent: false,
      }),
    apply: (resource, object, { subresource, fieldManager: manager = fieldManager, force = true, ...options } = {}) =>
      write(resource, {
        ...options,
        verb: "apply",
        method: "PATCH",
        path: objectAt(resource, object.metadata.namespace, object.metadata.name, subresource),
        query: { fieldManager: manager, force },
        text: applyBody(typed(resource, object)),
        contentType: "application/apply-patch+yaml",
        idempotent: object.metadata.resourceVersion === undefined,
      }),
    replace: (resource, object, { subresource, ...options } = {}) =>
      write(resource, {
        ...options,
        verb: "update",
        method: "PUT",
        path: objectAt(resource, object.metadata.namespace, object.metadata.name, subresource),
        query: { fieldManager },
        body: typed(resource, object),
        idempotent: false,
      }),
    mergePatch: patchWith("application/merge-patch+json"),
    jsonPatch: patchWith("application/json-patch+json"),
    delete: (resource, namespace, name, options = {}) => {
      const { preconditions, propagation = "Background", gracePeriodSeconds, ...rest } = options;
      const deletion = write(resource, {
        ...rest,
        verb: "delete",
        method: "DELETE",
        path: objectAt(resource, namespace, name),
        body: { preconditions, propagationPolicy: propagation, gracePeriodSeconds },
        idempotent: true,
      });
      return trueIfFound(deletion);
    },
  };
}

async function trueIfFound(deletion: Promise<unknown>): Promise<boolean> {
  try {
    await deletion;
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
