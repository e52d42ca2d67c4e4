import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { KeyMissing, StoreCorrupt } from "./port.ts";

/** Encrypts what is stored, and gives each other purpose a key of its own. */
export interface KeyRing {
  /** Id of the key that `seal` uses now. */
  readonly activeId: string;
  /** AES-256-GCM. `about` says what this is and where it belongs: it can be opened only as that. */
  seal(clear: Buffer, about: string): Buffer;
  /** Throws `KeyMissing` or `StoreCorrupt`. */
  open(sealed: Buffer, about: string): Buffer;
  /** 32 bytes for one purpose. They stay the same when the encryption key is rotated. */
  derive(purpose: string): Buffer;
}

export interface KeyMaterial {
  /** What keys for other purposes are derived from; never rotated, since digests are compared over years. */
  readonly root: Buffer;
  /** Encryption keys by id (16 hexadecimal digits). */
  readonly keys: ReadonlyMap<string, Buffer>;
  readonly activeId: string;
}

const FORMAT = 1;
const ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + ID_BYTES + NONCE_BYTES + TAG_BYTES;
export const KEY_BYTES = 32;

/** Bytes by which sealing makes things longer. */
export const SEAL_OVERHEAD = HEAD_BYTES;

export function newKeyMaterial(): KeyMaterial {
  const [activeId, key] = newKey();
  return { root: randomBytes(KEY_BYTES), keys: new Map([[activeId, key]]), activeId };
}

/** An encryption key and its id. */
export function newKey(): readonly [string, Buffer] {
  return [randomBytes(ID_BYTES).toString("hex"), randomBytes(KEY_BYTES)];
}

/** A ring that hears of keys that are added while the process runs. */
export interface LiveKeyRing extends KeyRing {
  /** Takes over which keys there are and which one seals. What was known stays known. Throws where they are of another installation. */
  learn(material: KeyMaterial): void;
}

export function createKeyRing(first: KeyMaterial): LiveKeyRing {
  const { root } = first;
  const keys = new Map(first.keys);
  let { activeId } = first;
  const keyOf = (id: string): Buffer => {
    const key = keys.get(id);
    if (key === undefined) throw new KeyMissing(id);
    return key;
  };
  keyOf(activeId);
  const derived = new Map<string, Buffer>();
  return {
    get activeId() {
      return activeId;
    },
    seal: (clear, about) => seal(keyOf(activeId), activeId, clear, about),
    open: (sealed, about) => open(keyOf(keyIdOf(sealed, about)), sealed, about),
    derive(purpose) {
      // Asked for at every request of every pod.
      const key = derived.get(purpose) ?? Buffer.from(hkdfSync("sha256", root, "", `terrarium/${purpose}`, KEY_BYTES));
      derived.set(purpose, key);
      return key;
    },
    learn(now) {
      if (!now.root.equals(root)) throw new StoreCorrupt("the key Secret", "its root is another one than before");
      for (const [id, key] of now.keys) keys.set(id, key);
      keyOf(now.activeId);
      activeId = now.activeId;
    },
  };
}

/** Which key a sealed value needs. */
export function keyIdOf(sealed: Buffer, about: string): string {
  if (sealed.length < HEAD_BYTES || sealed[0] !== FORMAT) throw new StoreCorrupt(about, "it is not in a known format");
  return sealed.subarray(1, 1 + ID_BYTES).toString("hex");
}

function seal(key: Buffer, id: string, clear: Buffer, about: string): Buffer {
  const head = Buffer.concat([Buffer.from([FORMAT]), Buffer.from(id, "hex")]);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.concat([head, Buffer.from(about)]));
  const body = Buffer.concat([cipher.update(clear), cipher.final()]);
  return Buffer.concat([head, nonce, cipher.getAuthTag(), body]);
}

function open(key: Buffer, sealed: Buffer, about: string): Buffer {
  const head = sealed.subarray(0, 1 + ID_BYTES);
  const nonce = sealed.subarray(head.length, head.length + NONCE_BYTES);
  const tag = sealed.subarray(HEAD_BYTES - TAG_BYTES, HEAD_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.concat([head, Buffer.from(about)]))
    .setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(sealed.subarray(HEAD_BYTES)), decipher.final()]);
  } catch {
    throw new StoreCorrupt(about, "it was altered, or belongs to something else");
  }
}
