import { isInvalid, isNotFound } from "../cluster/errors.ts";
import type { Secret } from "../cluster/kinds.ts";
import type { Reader, Writer } from "../cluster/ports.ts";
import { SECRETS } from "../cluster/resources.ts";

type RemovingClient = Pick<Reader, "find"> & Pick<Writer, "delete" | "jsonPatch">;

/**
 * Deletes a Secret that carries our finalizer. Deletion comes first, so that a crash in between leaves something that is marked, and that
 * the same call finishes.
 */
export async function removeSecret(
  client: RemovingClient,
  namespace: string,
  name: string,
  signal?: AbortSignal,
): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  if (!(await client.delete(SECRETS, namespace, name, options))) return;
  await dropFinalizers(client, namespace, name, signal);
}

/** Takes every finalizer off: the store's objects carry none but its own. */
async function dropFinalizers(
  client: Pick<Writer, "jsonPatch">,
  namespace: string,
  name: string,
  signal?: AbortSignal,
): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  try {
    await client.jsonPatch<Secret>(SECRETS, namespace, name, [{ op: "remove", path: "/metadata/finalizers" }], options);
  } catch (error) {
    // 422: there were none. 404: somebody else was quicker.
    if (!isNotFound(error) && !isInvalid(error)) throw error;
  }
}
