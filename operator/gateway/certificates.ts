import { FIELD_MANAGER } from "../api/names.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../cluster/errors.ts";
import type { Secret } from "../cluster/kinds.ts";
import type { Reader, Stored, Writer } from "../cluster/ports.ts";
import { SECRETS } from "../cluster/resources.ts";
import { type Identity, renewed, type TlsMaterial } from "./authority.ts";

export const TLS_SECRET = "terrarium-gateway-tls";
const TLS_SECRET_TYPE = "terrarium.dev/gateway-tls";

export interface CertificatePorts {
  readonly client: Pick<Reader, "find"> & Pick<Writer, "create" | "replace">;
  /** Namespace of the operator. */
  readonly namespace: string;
  /** DNS names and IPv4 addresses at which pods and replicas reach the gateway. */
  readonly hosts: readonly string[];
  readonly now: () => Date;
}

const KEYS = {
  authorityCertificate: "ca.crt",
  authorityKey: "ca.key",
  serverCertificate: "tls.crt",
  serverKey: "tls.key",
} as const;

const MOST_TRIES = 10;

/**
 * The certificate to serve now, from the Secret that all replicas share; made or renewed there when it is time. Whoever loses the race takes
 * what the winner made.
 */
export async function currentMaterial(ports: CertificatePorts, signal?: AbortSignal): Promise<TlsMaterial> {
  const { client, namespace, hosts, now } = ports;
  const options = signal === undefined ? {} : { signal };
  for (let tries = 1; ; tries += 1) {
    const stored = await client.find<Secret>(SECRETS, namespace, TLS_SECRET, options);
    const current = stored === undefined ? undefined : materialIn(stored);
    const wanted = renewed(current, hosts, now());
    if (wanted === current) return wanted;
    try {
      await write(ports, stored, wanted, options);
      return wanted;
    } catch (error) {
      const raced = isAlreadyExists(error) || isConflict(error) || isNotFound(error);
      if (!raced || tries >= MOST_TRIES) throw error;
    }
  }
}

async function write(
  { client, namespace }: CertificatePorts,
  stored: Stored<Secret> | undefined,
  material: TlsMaterial,
  options: { readonly signal?: AbortSignal },
): Promise<void> {
  const data = dataOf(material);
  if (stored !== undefined) {
    await client.replace<Secret>(SECRETS, { ...stored, data }, options);
    return;
  }
  const labels = { "app.kubernetes.io/managed-by": FIELD_MANAGER };
  const metadata = { name: TLS_SECRET, namespace, labels };
  await client.create<Secret>(SECRETS, { metadata, type: TLS_SECRET_TYPE, data }, options);
}

function dataOf({ authority, server }: TlsMaterial): Record<string, string> {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return {
    [KEYS.authorityCertificate]: base64(authority.certificate),
    [KEYS.authorityKey]: base64(authority.key),
    [KEYS.serverCertificate]: base64(server.certificate),
    [KEYS.serverKey]: base64(server.key),
  };
}

/** Undefined where something is missing: it can all be made anew. */
function materialIn(secret: Secret): TlsMaterial | undefined {
  const identity = (certificateKey: string, privateKey: string): Identity | undefined => {
    const [certificate, key] = [secret.data?.[certificateKey], secret.data?.[privateKey]];
    if (certificate === undefined || key === undefined) return undefined;
    return { certificate: Buffer.from(certificate, "base64").toString(), key: Buffer.from(key, "base64").toString() };
  };
  const authority = identity(KEYS.authorityCertificate, KEYS.authorityKey);
  const server = identity(KEYS.serverCertificate, KEYS.serverKey);
  return authority === undefined || server === undefined ? undefined : { authority, server };
}
