import { isDeepStrictEqual } from "node:util";
import type { StatusWriter, Writer } from "./ports.ts";

/**
 * The whole status by server-side apply under one field manager: a field that is left out is removed. The UID is sent as a precondition, since
 * an object of the same name may have taken the place of the one that was looked at.
 */
export function createStatusWriter(writer: Pick<Writer, "apply">): StatusWriter {
  return {
    async write(resource, current, status, { ifUnchanged = false, ...options } = {}) {
      if (isDeepStrictEqual(asJson(current.status), asJson(status))) return false;
      const { name, namespace, uid, resourceVersion } = current.metadata;
      const metadata = {
        name,
        uid,
        ...(namespace === undefined ? {} : { namespace }),
        ...(ifUnchanged ? { resourceVersion } : {}),
      };
      await writer.apply(resource, { metadata, status }, { ...options, subresource: "status" });
      return true;
    },
  };
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
