import { isInvalid, isNotFound } from "../cluster/errors.ts";
import type { KubeObject, ObjectMeta, Resource, Writer } from "../cluster/ports.ts";

/** Marks an object so that it cannot disappear; fails with a conflict where it has changed since it was read. */
export async function addFinalizer(
  writer: Pick<Writer, "mergePatch">,
  resource: Resource,
  metadata: ObjectMeta,
  finalizer: string,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name, uid, resourceVersion, finalizers = [] } = metadata;
  if (finalizers.includes(finalizer)) return;
  const patch = { metadata: { uid, resourceVersion, finalizers: [...finalizers, finalizer] } };
  await writer.mergePatch<KubeObject>(resource, namespace, name, patch, { signal });
}

/** Takes one finalizer off, whatever else has changed. An object that is gone, or has lost it already, is fine. */
export async function removeFinalizer(
  writer: Pick<Writer, "jsonPatch">,
  resource: Resource,
  { namespace, name, uid, finalizers = [] }: ObjectMeta,
  finalizer: string,
  signal: AbortSignal,
): Promise<void> {
  const index = finalizers.indexOf(finalizer);
  if (index < 0) return;
  const path = `/metadata/finalizers/${index}`;
  try {
    await writer.jsonPatch<KubeObject>(
      resource,
      namespace,
      name,
      [
        { op: "test", path: "/metadata/uid", value: uid },
        { op: "test", path, value: finalizer },
        { op: "remove", path },
      ],
      { signal },
    );
  } catch (error) {
    // The list has changed since it was seen: its new form is on its way to the cache, and brings another round if one is needed.
    if (!isNotFound(error) && !isInvalid(error)) throw error;
  }
}
