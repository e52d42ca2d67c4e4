import { isNotFound } from "./errors.ts";
import type { CallOptions } from "./ports.ts";
import type { Transport } from "./transport.ts";

/** What an API server tells everybody about itself. */
export interface ServerFacts {
  /** As in `v1.35.4`. */
  version(options?: CallOptions): Promise<string>;
  /** Plural names of the resources of a group version; undefined when it has no such group. */
  resourcesOf(group: string, version: string, options?: CallOptions): Promise<readonly string[] | undefined>;
}

export function createServerFacts(transport: Transport): ServerFacts {
  const get = (path: string, options: CallOptions = {}) =>
    transport.call({ ...options, verb: "get", method: "GET", path, resource: "", idempotent: true, secret: false });
  return {
    async version(options) {
      return ((await get("/version", options)) as { gitVersion?: string }).gitVersion ?? "unknown";
    },
    async resourcesOf(group, version, options) {
      try {
        const answer = (await get(`/apis/${group}/${version}`, options)) as { resources?: readonly { name: string }[] };
        return (answer.resources ?? []).map(({ name }) => name);
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
  };
}
