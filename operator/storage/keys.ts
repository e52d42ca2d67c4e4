import { LABELS } from "../api/names.ts";
import { isAlreadyExists } from "../cluster/errors.ts";
import type { Secret } from "../cluster/kinds.ts";
import type { Reader, Writer } from "../cluster/ports.ts";
import { SECRETS } from "../cluster/resources.ts";
import {
  createKeyRing,
  KEY_BYTES,
  type KeyMaterial,
  keyIdOf,
  type LiveKeyRing,
  newKey,
  newKeyMaterial,
} from "./key-ring.ts";
import { KeyMissing, StoreCorrupt } from "./port.ts";

export const KEY_SECRET = "terrarium-keys";
const KEY_SECRET_TYPE = "terrarium.dev/key";

const ROOT = "root";
const ACTIVE = "active";
const KEY_PREFIX = "key-";
/** Id of a key that is there and does not seal yet. */
const NEXT = "next";

type SecretClient = Pick<Reader, "find" | "get" | "list"> & Pick<Writer, "create">;

/**
 * The keys of this installation. They are made at the very first start only: where something is stored and no key Secret exists, it throws
 * `KeyMissing`, since new keys would hide that the old ones are lost.
 */
export async function openKeyRing(client: SecretClient, namespace: string, signal?: AbortSignal): Promise<LiveKeyRing> {
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

/**
 * Makes a new key and seals with it from now on; what was sealed before stays readable by the old ones, which are kept. Every replica must know
 * the key before any seals with it: `spread` resolves when that is so. A rotation that was cut off is finished by the next one.
 */
export async function rotateKey(
  client: Pick<Reader, "get"> & Pick<Writer, "replace">,
  namespace: string,
  spread: () => Promise<void>,
  signal?: AbortSignal,
): Promise<{ readonly before: string; readonly now: string }> {
  const options = signal === undefined ? {} : { signal };
  const read = () => client.get<Secret>(SECRETS, namespace, KEY_SECRET, options);
  const found = await read();
  const { activeId: before } = materialIn(found);
  const [id, key] = newKey();
  const waiting = found.data?.[NEXT];
  const next = waiting === undefined ? id : Buffer.from(waiting, "base64").toString();
  if (waiting === undefined) {
    const added = { [`${KEY_PREFIX}${id}`]: key.toString("base64"), [NEXT]: Buffer.from(id).toString("base64") };
    await client.replace<Secret>(SECRETS, { ...found, data: { ...found.data, ...added } }, options);
  }
  await spread();
  const known = await read();
  const { [NEXT]: _done, ...data } = known.data ?? {};
  const active = { [ACTIVE]: Buffer.from(next).toString("base64") };
  await client.replace<Secret>(SECRETS, { ...known, data: { ...data, ...active } }, options);
  return { before, now: next };
}

/** What a watch shows of the key Secret, for a ring that is in use. */
export function learnKeys(ring: LiveKeyRing, secret: Secret): void {
  if (secret.metadata.name === KEY_SECRET) ring.learn(materialIn(secret));
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
