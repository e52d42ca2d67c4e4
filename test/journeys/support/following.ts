/** Waits for something to become true of objects by watching them, so that nothing is asked twice and no time is lost. */
import { setTimeout as pause } from "node:timers/promises";
import { ApiError, ApiUnreachable } from "../../../operator/cluster/errors.ts";
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
  const { signal } = limit;

  /** Undefined: the server ended the watch before anything was found. */
  const listAndWatch = async (): Promise<R | undefined> => {
    const page = await client.listAll<T>(resource, selection);
    const objects = new Map(page.items.map((item) => [keyOf(item), item]));
    const found = look([...objects.values()]);
    if (found !== undefined) return found;
    const timeoutSeconds = Math.ceil(withinMs / 1000) + 30;
    const { resourceVersion } = page;
    const events = await client.watch<T>(resource, { ...selection, resourceVersion, timeoutSeconds, signal });
    for await (const event of events) {
      if (event.type === "BOOKMARK") continue;
      if (event.type === "DELETED") objects.delete(keyOf(event.object));
      else objects.set(keyOf(event.object), event.object);
      const seen = look([...objects.values()]);
      if (seen !== undefined) return seen;
    }
    return undefined;
  };

  try {
    while (true) {
      const found = await listAndWatch().catch(async (error: unknown) => {
        if (signal.aborted || !passes(error)) throw error;
        await pause(1_000, undefined, { signal });
        return undefined;
      });
      if (found !== undefined) return found;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new NotInTime(`${what}: not within ${withinMs / 1000} s`);
  } finally {
    clearTimeout(timer);
    limit.abort();
  }
}

/** The API server, or the way to it, is away for a moment, or no longer knows the version that the watch began with. */
function passes(error: unknown): boolean {
  if (error instanceof ApiError) return error.status === 410 || error.status === 429 || error.status >= 500;
  return error instanceof ApiUnreachable;
}

function keyOf({ metadata }: Stored<KubeObject>): string {
  return `${metadata.namespace}/${metadata.name}`;
}
