import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { z } from "zod";
import type { ConfigMap } from "../cluster/kinds.ts";
import type { Reader } from "../cluster/ports.ts";
import { CONFIG_MAPS } from "../cluster/resources.ts";

/** How the cluster's API server introduces itself, and in which headers it names the person that it speaks for. */
export interface FrontProxy {
  /** Certificates of the authority that signs the API server's, in PEM. */
  readonly ca: string;
  /** Common names that count; empty: all that the authority has signed. */
  readonly allowedNames: readonly string[];
  readonly userHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
}

export interface Person {
  readonly name: string;
  readonly groups: readonly string[];
}

const names = z
  .string()
  .default("[]")
  .transform((text) => z.array(z.string()).parse(JSON.parse(text)));

const settings = z.object({
  "requestheader-client-ca-file": z.string().min(1),
  "requestheader-allowed-names": names,
  "requestheader-username-headers": names,
  "requestheader-group-headers": names,
});

/** Where every API server publishes it (Kubernetes: "Configure the Aggregation Layer"). */
const PLACE = { namespace: "kube-system", name: "extension-apiserver-authentication" } as const;

/** Undefined where this cluster has no aggregation layer. */
export async function readFrontProxy(
  client: Pick<Reader, "find">,
  signal?: AbortSignal,
): Promise<FrontProxy | undefined> {
  const options = signal === undefined ? {} : { signal };
  const found = await client.find<ConfigMap>(CONFIG_MAPS, PLACE.namespace, PLACE.name, options);
  const parsed = settings.safeParse(found?.data ?? {});
  if (!parsed.success) return undefined;
  const { data } = parsed;
  return {
    ca: data["requestheader-client-ca-file"],
    allowedNames: data["requestheader-allowed-names"],
    userHeaders: data["requestheader-username-headers"].map((name) => name.toLowerCase()),
    groupHeaders: data["requestheader-group-headers"].map((name) => name.toLowerCase()),
  };
}

/** Only the API server may say for whom it speaks: its certificate is what tells that it is the one. */
export function isFrontProxy({ socket }: IncomingMessage, { allowedNames }: FrontProxy): boolean {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return false;
  const name = socket.getPeerCertificate().subject?.CN;
  return allowedNames.length === 0 || (typeof name === "string" && allowedNames.includes(name));
}

/** Undefined where nobody is named. */
export function personIn(headers: IncomingHttpHeaders, rawHeaders: readonly string[], proxy: FrontProxy) {
  const name = proxy.userHeaders.map((header) => headers[header]).find((value) => typeof value === "string");
  if (name === undefined || name === "") return undefined;
  return { name: String(name), groups: valuesOf(rawHeaders, proxy.groupHeaders) } satisfies Person;
}

/** Each group is a header of its own, and a group may have a comma in its name. */
function valuesOf(rawHeaders: readonly string[], wanted: readonly string[]): readonly string[] {
  return rawHeaders.filter(
    (_, index) => index % 2 === 1 && wanted.includes(rawHeaders[index - 1]?.toLowerCase() ?? ""),
  );
}
