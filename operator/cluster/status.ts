import { isDeepStrictEqual } from "node:util";
import { isConflict } from "./errors.ts";
import type { CallOptions, KubeObject, Reader, Resource, StatusWriter, Stored, Writer } from "./ports.ts";

type WithStatus = KubeObject & { readonly status?: unknown };

const MOST_TRIES = 3;

/**
 * The whole status by server-side apply under one field manager: a field that is left out is removed. The status subresource of a custom
 * resource ignores a UID (seen on 1.35), but not a version: so every write names the version it was decided on, and an object of the same
 * name that has taken the place of the one that was looked at is left alone.
 */
export function createStatusWriter(client: Pick<Reader, "get"> & Pick<Writer, "apply">): StatusWriter {
  return {
    async write(resource, current, status, { ifUnchanged = false, ...options } = {}) {
      let latest: Stored<WithStatus> = current;
      for (let tries = 1; !saysAlready(latest, status); tries += 1) {
        try {
          await client.apply(resource, withStatus(latest, status), { ...options, subresource: "status" });
          return true;
        } catch (error) {
          if (ifUnchanged || tries === MOST_TRIES || !isConflict(error)) throw error;
          latest = await readAgain(client, resource, latest, options);
          if (latest.metadata.uid !== current.metadata.uid) throw error;
          // Decided from a status that was overtaken: it would take the newer one back. That one's news bring another round.
          if (!saysAlready(latest, current.status)) return false;
        }
      }
      return false;
    },
  };
}

const readAgain = (
  client: Pick<Reader, "get">,
  resource: Resource,
  { metadata }: Stored<WithStatus>,
  options: CallOptions,
): Promise<Stored<WithStatus>> => client.get(resource, metadata.namespace, metadata.name, options);

const saysAlready = (object: WithStatus, status: unknown): boolean =>
  isDeepStrictEqual(asJson(object.status), asJson(status));

function withStatus({ metadata }: Stored<WithStatus>, status: unknown): WithStatus {
  const { name, namespace, uid, resourceVersion } = metadata;
  return { metadata: { name, uid, resourceVersion, ...(namespace === undefined ? {} : { namespace }) }, status };
}

/** What would be on the wire, without what is undefined, and lists that are maps (by `name` or `type`) in one order. */
function asJson(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(asJson);
    const keys = items.map(mapKey);
    return keys.includes(undefined) ? items : items.toSorted((a, b) => compare(mapKey(a), mapKey(b)));
  }
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(kept.map(([name, inner]) => [name, asJson(inner)]));
}

/** The API server merges such lists by key, and may well keep its own order. */
function mapKey(item: unknown): string | undefined {
  if (typeof item !== "object" || item === null) return undefined;
  const { name, type } = item as { readonly name?: unknown; readonly type?: unknown };
  return [name, type].find((key) => typeof key === "string");
}

const compare = (a = "", b = ""): number => (a < b ? -1 : Number(a > b));
