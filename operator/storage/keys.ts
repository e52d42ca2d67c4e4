import { LABELS } from "../api/names.ts";
import { isAlreadyExists } from "../cluster/errors.ts";
import type { Secret } from "../cluster/kinds.ts";
import type { Reader, Writer } from "../cluster/ports.ts";
import { SECRETS } from "../cluster/resources.ts";
import { createKeyRing, KEY_BYTES, type KeyMaterial, type KeyRing, keyIdOf, newKeyMaterial } from "./key-ring.ts";
import { KeyMissing, StoreCorrupt } from "./port.ts";

export const KEY_SECRET = "terrarium-keys";
const KEY_SECRET_TYPE = "terrarium.dev/key";

const ROOT = "root";
const ACTIVE = "active";
const KEY_PREFIX = "key-";

type SecretClient = Pick<Reader, "find" | "get" | "list"> & Pick<Writer, "create">;

/**
 * The keys of this installation. They are made at the very first start only: where something is stored and no key Secret exists, it throws
 * `KeyMissing`, since new keys would hide that the old ones are lost.
 */
export async function openKeyRing(client: SecretClient, namespace: string, signal?: AbortSignal): Promise<KeyRing> {
  const options = signal === undefined ? {} : { signal };
  const found = await client.find<Secret>(SECRETS, namespace, KEY_SECRET, options);
  if (found !== undefined) return createKeyRing(materialIn(found));
  await mustBeFirstStart(client, namespace, signal);
  try {
    const made = await client.create<Secret>(SECRETS, keySecret(namespace, newKeyMaterial()), options);
    return createKeyRing(materialIn(made));
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    return createKeyRing(materialIn(await client.get<Secret>(SECRETS, namespace, KEY_SECRET, options)));
  }
}

async function mustBeFirstStart(client: SecretClient, namespace: string, signal?: AbortSignal): Promise<void> {
  const { items } = await client.list<Secret>(SECRETS, {
    namespace,
    labelSelector: `${LABELS.stored} in (record,blob)`,
    limit: 1,
    ...(signal === undefined ? {} : { signal }),
  });
  const [stored] = items;
  if (stored === undefined) return;
  const content = Object.values(stored.data ?? {})[0] ?? "";
  throw new KeyMissing(keyIdOf(Buffer.from(content, "base64"), `Secret ${stored.metadata.name}`));
}

function keySecret(namespace: string, { root, keys, activeId }: KeyMaterial): Secret {
  const data = Object.fromEntries([...keys].map(([id, key]) => [`${KEY_PREFIX}${id}`, key.toString("base64")]));
  return {
    metadata: { name: KEY_SECRET, namespace, labels: { [LABELS.stored]: "key" } },
    type: KEY_SECRET_TYPE,
    data: { ...data, [ROOT]: root.toString("base64"), [ACTIVE]: Buffer.from(activeId).toString("base64") },
  };
}

function materialIn(secret: Secret): KeyMaterial {
  const data = new Map(Object.entries(secret.data ?? {}).map(([name, text]) => [name, Buffer.from(text, "base64")]));
  const root = data.get(ROOT);
  const activeId = data.get(ACTIVE)?.toString();
  const keys = new Map(
    [...data]
      .filter(([name]) => name.startsWith(KEY_PREFIX))
      .map(([name, key]) => [name.slice(KEY_PREFIX.length), key] as const),
  );
  const sound = [root, ...keys.values()].every((key) => key?.length === KEY_BYTES);
  if (root === undefined || activeId === undefined || !sound)
    throw new StoreCorrupt(`Secret ${KEY_SECRET}`, "it is incomplete: restore it from its backup");
  return { root, keys, activeId };
}
