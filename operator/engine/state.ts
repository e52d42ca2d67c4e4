/** The envelope of a state file, version 4, which both engines write. */
import { z } from "zod";

/** Of one resource, as far as anybody looks at it. */
export const stateResource = z.object({
  module: z.string().optional(),
  mode: z.string(),
  type: z.string(),
  name: z.string(),
  instances: z
    .array(z.object({ index_key: z.union([z.string(), z.number()]).optional(), attributes: z.unknown().optional() }))
    .default([]),
});

export const stateDocument = z.object({
  version: z.literal(4),
  lineage: z.string().min(1),
  serial: z.number().int().nonnegative(),
  terraform_version: z.string(),
  resources: z.array(stateResource).nullish(),
});

export interface StateEnvelope {
  readonly version: 4;
  readonly lineage: string;
  readonly serial: number;
  readonly engineVersion: string;
  /** Managed resource instances; data sources are not counted. */
  readonly resourceCount: number;
  /** Addresses of the managed instances, in the order of the file. */
  readonly addresses: readonly string[];
}

/** A managed object as a state holds it. While something is replaced with `create_before_destroy`, two have the same address. */
export interface StateObject {
  readonly address: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** The bytes are no state of version 4. The message never quotes them: a state holds secrets. */
export class NotAState extends Error {
  override readonly name = "NotAState";

  /** `path` is that of the field that is wrong; empty: the document itself. */
  static at(path: string | undefined): NotAState {
    return new NotAState(`the document is no state of version 4: look at its field "${path === "" ? "(top)" : path}"`);
  }
}

export function parseState(text: string): StateEnvelope {
  const document = readDocument(text, stateDocument);
  const { version, lineage, serial, terraform_version: engineVersion } = document;
  const addresses = managedIn(document).map(({ address }) => address);
  return { version, lineage, serial, engineVersion, resourceCount: addresses.length, addresses };
}

/** The managed objects of a state, with what the provider said of each, secrets included. */
export const parseObjects = (text: string): readonly StateObject[] => managedIn(readDocument(text, stateDocument));

function managedIn({ resources }: z.output<typeof stateDocument>): readonly StateObject[] {
  const managed = (resources ?? []).filter(({ mode }) => mode === "managed");
  return managed.flatMap(({ module, type, name, instances }) => {
    const base = `${module === undefined ? "" : `${module}.`}${type}.${name}`;
    return instances.map(({ index_key: key, attributes }) => ({
      address: key === undefined ? base : `${base}[${JSON.stringify(key)}]`,
      attributes: (attributes ?? {}) as Readonly<Record<string, unknown>>,
    }));
  });
}

/** `parse` reads the JSON, where that is not to be done in the ordinary way. */
export function readDocument<T>(text: string, schema: z.ZodType<T>, parse: (text: string) => unknown = JSON.parse): T {
  let value: unknown;
  try {
    value = parse(text);
  } catch {
    throw new NotAState(`the state is not JSON (${text.length} characters)`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw NotAState.at(parsed.error.issues[0]?.path.join("."));
}
