/**
 * Reads the Secrets and ConfigMaps that the kubelet mounted. Every such volume is optional, so a missing object is an
 * empty folder and a missing key a missing file; the kubelet's own links inside the folder are followed.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PodLayout } from "./layout.ts";

export type ObjectKind = "Secret" | "ConfigMap";

/** Something that the Run needs and the namespace does not have (yet). */
export interface Missing {
  readonly kind: ObjectKind;
  readonly name: string;
  /** Absent: any key would do, the object itself is missing or empty. */
  readonly key?: string;
  /** What it is needed for, as in `variable db_password`. */
  readonly use: string;
  readonly objectMissing: boolean;
}

export class MountedObjects {
  readonly #layout: PodLayout;

  constructor(layout: PodLayout) {
    this.#layout = layout;
  }

  /** Undefined where the object or the key is missing. */
  async read(kind: ObjectKind, name: string, key: string): Promise<Buffer | undefined> {
    if (!isKey(key)) return undefined;
    return readFile(join(this.folder(kind, name), key)).catch(absent);
  }

  /** All keys; empty where the object is missing. */
  async readAll(kind: ObjectKind, name: string): Promise<ReadonlyMap<string, Buffer>> {
    const entries = await readdir(this.folder(kind, name)).catch(absent);
    const keys = (entries ?? []).filter(isKey).sort();
    const values = await Promise.all(keys.map((key) => this.read(kind, name, key)));
    return new Map(
      keys.flatMap((key, at): [string, Buffer][] => {
        const value = values[at];
        return value === undefined ? [] : [[key, value]];
      }),
    );
  }

  async missing(kind: ObjectKind, name: string, use: string, key?: string): Promise<Missing> {
    const objectMissing = (await this.readAll(kind, name)).size === 0;
    return { kind, name, use, objectMissing, ...(key === undefined ? {} : { key }) };
  }

  folder(kind: ObjectKind, name: string): string {
    const parent = kind === "Secret" ? this.#layout.secretInputs : this.#layout.configMapInputs;
    // Names of objects are checked by Kubernetes; what came here another way still stays inside.
    if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name))
      throw new Error(`${JSON.stringify(name)} is no name of an object`);
    return join(parent, name);
  }
}

/** One sentence for each object: "Secret shop: keys db and user are missing". */
export function describeMissing(missing: readonly Missing[]): string {
  const objects = new Map<string, Missing[]>();
  for (const one of missing) {
    const name = `${one.kind} ${one.name}`;
    objects.set(name, [...(objects.get(name) ?? []), one]);
  }
  const sentences = [...objects].map(([name, uses]) => {
    const keys = [...new Set(uses.flatMap(({ key }) => (key === undefined ? [] : [key])))].sort();
    const users = [...new Set(uses.map(({ use }) => use))].sort().join(", ");
    const noun = keys.length === 1 ? "key" : "keys";
    if (uses.some(({ objectMissing }) => objectMissing) || keys.length === 0) {
      const need = keys.length === 0 ? "" : ` ${noun} ${keys.join(" and ")},`;
      return `${name} is missing or empty (needed:${need} for ${users})`;
    }
    return `${name}: ${noun} ${keys.join(" and ")} ${keys.length === 1 ? "is" : "are"} missing (needed for ${users})`;
  });
  return `${sentences.join("; ")}. Create what is missing in the namespace of the Environment; it is looked for again by itself`;
}

/** The kubelet's own entries (`..data`) are no keys. */
function isKey(name: string): boolean {
  return /^[-._a-zA-Z0-9]+$/.test(name) && !name.startsWith("..") && name !== ".";
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw error;
}
