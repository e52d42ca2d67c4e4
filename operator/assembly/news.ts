import type { KubeObject, Reader, Resource } from "../cluster/ports.ts";

interface Seen {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

/**
 * Of an object that was not written, since the API server says 409: has it changed since it was seen? Then what it has become is on its way to the
 * cache, and brings another round. A proxy, or an admission webhook, may say 409, too, and no news comes.
 */
export async function hasChanged(
  client: Pick<Reader, "find">,
  resource: Resource,
  { name, namespace, resourceVersion }: Seen,
  signal: AbortSignal,
): Promise<boolean> {
  const now = await client.find<KubeObject>(resource, namespace, name, { signal });
  return now?.metadata.resourceVersion !== resourceVersion;
}
