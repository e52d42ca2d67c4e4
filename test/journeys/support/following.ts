/** Waits for something to become true of objects by watching them, so that nothing is asked twice and no time is lost. */
import type { Client, KubeObject, Resource, Selection, Stored } from "../../../operator/cluster/ports.ts";

export class NotInTime extends Error {
  override readonly name = "NotInTime";
}

export interface Following<T extends KubeObject, R> {
  readonly resource: Resource;
  readonly selection: Selection;
  /** Asked after every change; anything but undefined ends the wait. */
  readonly look: (objects: readonly Stored<T>[]) => R | undefined;
  readonly withinMs: number;
  /** For the error, as in `the Environment hello to be Ready`. */
  readonly what: string;
}

export async function follow<T extends KubeObject, R>(
  client: Client,
  { resource, selection, look, withinMs, what }: Following<T, R>,
): Promise<R> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), withinMs);
  const objects = new Map<string, Stored<T>>();
  try {
    while (true) {
      const page = await client.listAll<T>(resource, selection);
      objects.clear();
      for (const item of page.items) objects.set(keyOf(item), item);
      const found = look([...objects.values()]);
      if (found !== undefined) return found;
      const events = await client.watch<T>(resource, {
        ...selection,
        resourceVersion: page.resourceVersion,
        timeoutSeconds: Math.ceil(withinMs / 1000) + 30,
        signal: limit.signal,
      });
      for await (const event of events) {
        if (event.type === "BOOKMARK") continue;
        if (event.type === "DELETED") objects.delete(keyOf(event.object));
        else objects.set(keyOf(event.object), event.object);
        const seen = look([...objects.values()]);
        if (seen !== undefined) return seen;
      }
      // The server ended the watch: begin anew.
    }
  } catch (error) {
    if (!limit.signal.aborted) throw error;
    throw new NotInTime(`${what}: not within ${withinMs / 1000} s`);
  } finally {
    clearTimeout(timer);
    limit.abort();
  }
}

function keyOf({ metadata }: Stored<KubeObject>): string {
  return `${metadata.namespace}/${metadata.name}`;
}
