import { isConflict } from "./errors.ts";
import type { CallOptions, KubeObject, Reader, Resource, StatusWriter, Stored, Writer } from "./ports.ts";
import { sameOnTheWire } from "./same-on-the-wire.ts";

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

const saysAlready = (object: WithStatus, status: unknown): boolean => sameOnTheWire(object.status, status);

function withStatus({ metadata }: Stored<WithStatus>, status: unknown): WithStatus {
  const { name, namespace, uid, resourceVersion } = metadata;
  return { metadata: { name, uid, resourceVersion, ...(namespace === undefined ? {} : { namespace }) }, status };
}
