/** What the store has to know of a state, read without a tree of it: a runner pod chooses the bytes, and all tenants share the operator's memory. */
import { z } from "zod";
import { type JsonKind, type JsonListener, NotJson, walkJson } from "./json-walk.ts";
import { NotAState, type StateEnvelope, stateDocument } from "./state.ts";

export type StateFacts = Omit<StateEnvelope, "addresses">;

/** Of a text that is read; none that is longer is a lineage or a version. */
const LONGEST_BYTES = 4096;

/** The same as `parseState` says of the text, but for the addresses. Throws `NotAState`. */
export function* readEnvelope(bytes: Buffer): Generator<void, StateFacts> {
  const reader = new EnvelopeReader(bytes);
  yield* walkState(bytes, reader);
  return reader.facts();
}

/** Throws `NotAState` where the bytes are no JSON. */
export function* walkState(bytes: Buffer, listener: JsonListener): Generator<void, void> {
  try {
    yield* walkJson(bytes, listener);
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    throw new NotAState(`the state is not JSON (${bytes.length} bytes): ${error.message}`);
  }
}

const envelope = stateDocument.extend({ resources: z.array(z.unknown()).nullish() });
const OF_DOCUMENT: ReadonlySet<string> = new Set(Object.keys(envelope.shape));
/** What a resource has and what it may have, in the order in which what is wrong is told. */
const OF_RESOURCE = [
  { name: "module", kind: "text", must: false },
  { name: "mode", kind: "text", must: true },
  { name: "type", kind: "text", must: true },
  { name: "name", kind: "text", must: true },
  { name: "instances", kind: "list", must: false },
] as const;

type Part = (typeof OF_RESOURCE)[number]["name"];
const isPart = (key: string | undefined): key is Part => OF_RESOURCE.some(({ name }) => name === key);

/** Where a key stands twice the last one counts, as for `JSON.parse`: so what is wrong is told at the end only. */
class EnvelopeReader implements JsonListener {
  readonly #bytes: Buffer;
  /** Of the value that began last. */
  #at = 0;
  #kind: JsonKind = "other";
  #documentKind: JsonKind = "other";
  readonly #document = new Map<string, unknown>();
  /** Of the member of the document, and of that of a resource, that is read. */
  #member: string | undefined;
  #memberKind: JsonKind = "other";
  #part: string | undefined;
  #partKind: JsonKind = "other";
  #resource: { [part in Part]?: JsonKind } = {};
  #resources = 0;
  #managed = 0;
  #instances = 0;
  #isManaged = false;
  #isIndexKey = false;
  #isInstanceWrong = false;
  #wrongInstance: string | undefined;
  #wrongResource: string | undefined;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get deepest(): number {
    return this.#member === "resources" && this.#memberKind === "list" ? 5 : 1;
  }

  begins(depth: number, key: string | undefined, kind: JsonKind, at: number): void {
    this.#at = at;
    this.#kind = kind;
    if (depth === 0) this.#documentKind = kind;
    else if (depth === 1) this.#beginMember(key, kind);
    else if (depth === 2) this.#resource = {};
    else if (depth === 3) this.#beginPart(key, kind);
    else if (depth === 4) this.#isInstanceWrong = kind !== "object";
    else if (depth === 5) this.#beginInstancePart(key, kind);
  }

  ends(depth: number, to: number): void {
    if (depth === 1) this.#endMember(to);
    else if (depth === 2) this.#endResource();
    else if (depth === 3 && this.#part === "mode") this.#isManaged = this.#isText("managed", to);
    else if (depth < 4 || this.#part !== "instances" || this.#partKind !== "list") return;
    else if (depth === 4) this.#endInstance();
    else if (this.#isIndexKey && this.#kind === "number") this.#isInstanceWrong = !Number.isFinite(this.#scalar(to));
  }

  facts(): StateFacts {
    const document = this.#documentKind === "object" ? Object.fromEntries(this.#document) : undefined;
    const { data, error } = envelope.safeParse(document);
    if (data === undefined) throw NotAState.at(error.issues[0]?.path.join("."));
    if (this.#wrongResource !== undefined) throw NotAState.at(this.#wrongResource);
    const { version, lineage, serial, terraform_version: engineVersion } = data;
    return { version, lineage, serial, engineVersion, resourceCount: this.#managed };
  }

  #beginMember(key: string | undefined, kind: JsonKind): void {
    this.#member = key;
    this.#memberKind = kind;
    if (key !== "resources") return;
    this.#resources = 0;
    this.#managed = 0;
    this.#wrongResource = undefined;
  }

  #endMember(to: number): void {
    if (this.#member === undefined || !OF_DOCUMENT.has(this.#member)) return;
    const isEmptied = this.#memberKind === "object" || this.#memberKind === "list";
    const emptied = this.#memberKind === "list" ? [] : {};
    this.#document.set(this.#member, isEmptied ? emptied : this.#scalar(to));
  }

  #beginPart(key: string | undefined, kind: JsonKind): void {
    this.#part = key;
    this.#partKind = kind;
    if (isPart(key)) this.#resource[key] = kind;
    if (key !== "instances") return;
    this.#instances = 0;
    this.#wrongInstance = undefined;
  }

  #beginInstancePart(key: string | undefined, kind: JsonKind): void {
    this.#isIndexKey = key === "index_key";
    if (this.#isIndexKey) this.#isInstanceWrong = kind !== "text" && kind !== "number";
  }

  #endInstance(): void {
    if (this.#isInstanceWrong) this.#wrongInstance ??= `instances.${this.#instances}`;
    this.#instances += 1;
  }

  #endResource(): void {
    const wrong = this.#wrongPart();
    if (wrong !== undefined) this.#wrongResource ??= `resources.${this.#resources}.${wrong}`;
    if (this.#isManaged && this.#resource.instances !== undefined) this.#managed += this.#instances;
    this.#resources += 1;
  }

  #wrongPart(): string | undefined {
    for (const { name, kind, must } of OF_RESOURCE) {
      const found = this.#resource[name];
      if (found === undefined ? must : found !== kind) return name;
    }
    return this.#resource.instances !== undefined ? this.#wrongInstance : undefined;
  }

  #isText(text: string, to: number): boolean {
    return this.#partKind === "text" && this.#scalar(to) === text;
  }

  /** The value that began last. */
  #scalar(to: number): unknown {
    return to - this.#at > LONGEST_BYTES ? undefined : JSON.parse(this.#bytes.toString("utf8", this.#at, to));
  }
}
