import type { KubeObject, Reader, Writer } from "../cluster/ports.ts";
import { API_SERVICES } from "../cluster/resources.ts";
import { STATE_GROUP, STATE_VERSION } from "./names.ts";

export interface ApiService extends KubeObject {
  readonly spec: { readonly caBundle?: string; readonly [field: string]: unknown };
}

export const API_SERVICE = `${STATE_VERSION}.${STATE_GROUP}`;

/** Tells the API server by which authority it recognises us. The chart makes the object; where it does not, nothing is registered. */
export async function registerAuthority(
  client: Pick<Reader, "find"> & Pick<Writer, "mergePatch">,
  caPem: string,
  signal?: AbortSignal,
): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  const found = await client.find<ApiService>(API_SERVICES, undefined, API_SERVICE, options);
  const caBundle = Buffer.from(caPem).toString("base64");
  if (found === undefined || found.spec.caBundle === caBundle) return;
  await client.mergePatch(API_SERVICES, undefined, API_SERVICE, { spec: { caBundle } }, options);
}
