/** Parts of a stored state, each as a tree of its own: of the whole there is none, whatever its size. */
import type { JsonKind, JsonListener } from "./json-walk.ts";
import { type OutputValue, parseOutputs } from "./outputs.ts";
import { NotAState, parseObjects, type StateObject } from "./state.ts";
import { walkState } from "./state-envelope.ts";

/** Of all outputs of a state together, and of one instance of a resource: what is read is a tree in the memory that all tenants share. */
export const MOST_VALUES = 500_000;
const MOST_OBJECTS = 50_000;
/** Of a resource's module, mode, type or name. */
const LONGEST_BYTES = 4096;

/** What is asked of the managed objects. */
export interface Wanted {
  readonly isWanted: (address: string) => boolean;
  /** Is any instance of the resource with this address wanted? */
  readonly isWantedOf: (resource: string) => boolean;
  /** The names of attributes that are kept. */
  readonly attributes: ReadonlySet<string>;
}

/** The state is one, and its outputs are too many to be read. */
export class TooManyOutputs extends NotAState {
  constructor() {
    super(`the outputs of the state hold more than ${MOST_VALUES} values: give fewer of them out`);
  }
}

/** Throws `NotAState` and `TooManyOutputs`. */
export function* readOutputs(bytes: Buffer): Generator<void, OutputValue[]> {
  let outputs = "null";
  const reader = new PartReader(() => 1, {
    onEnd: ({ depth, key, from, to, values }) => {
      if (depth !== 1 || key !== "outputs") return;
      if (values > MOST_VALUES) throw new TooManyOutputs();
      outputs = bytes.toString("utf8", from, to);
    },
  });
  yield* walkState(bytes, reader);
  return parseOutputs(`{"version":4,"outputs":${outputs}}`);
}

/** The managed objects that are wanted. Throws `NotAState`, also where those are too many, or one of them too large, to be kept in memory. */
export function* readObjects(bytes: Buffer, wanted: Wanted): Generator<void, readonly StateObject[]> {
  let found: StateObject[] = [];
  let resource = new ResourceParts();
  let whole: ResourceParts[] = [];
  const reader = new PartReader((member) => (member === "resources" ? DEPTH.instance : DEPTH.member), {
    onBegin: (depth, key) => {
      // Where a member stands twice, the last one counts.
      if (depth === DEPTH.member && key === "resources") [found, whole] = [[], []];
      if (depth === DEPTH.resource) resource = new ResourceParts();
      if (depth === DEPTH.part && key !== undefined) resource.begins(key);
    },
    onEnd: (part) => {
      if (part.depth > DEPTH.resource) resource.ends(part);
      if (part.depth === DEPTH.resource) whole.push(resource);
    },
  });
  function* read(): Generator<void, void> {
    for (const parts of whole.splice(0)) found.push(...(yield* objectsOf(parts, bytes, wanted)));
    if (found.length > MOST_OBJECTS) throw new NotAState(`the state holds more than ${MOST_OBJECTS} objects`);
  }
  for (const _piece of walkState(bytes, reader)) {
    yield* read();
    yield;
  }
  yield* read();
  return found;
}

/** In how many objects and lists the parts of a state are. */
const DEPTH = { member: 1, resource: 2, part: 3, instance: 4 } as const;

const HEAD: ReadonlySet<string> = new Set(["module", "mode", "type", "name"]);

/** Where the parts of one resource are. */
class ResourceParts {
  readonly head = new Map<string, Part>();
  instances: Part[] = [];
  #part: string | undefined;

  begins(part: string): void {
    this.#part = part;
    if (part === "instances") this.instances = [];
  }

  ends(part: Part): void {
    if (part.depth === DEPTH.instance && this.#part === "instances") this.instances.push(part);
    if (part.depth === DEPTH.part && part.key !== undefined && HEAD.has(part.key)) this.head.set(part.key, part);
    if (this.instances.length > MOST_OBJECTS) throw new NotAState(`a resource has more than ${MOST_OBJECTS} instances`);
  }
}

/** Others have their turn when as much of one resource was read. */
const PIECE_BYTES = 256 * 1024;

/** One instance after the other, each as the only one of its resource: that gives it the address that it has. */
function* objectsOf({ head, instances }: ResourceParts, bytes: Buffer, wanted: Wanted): Generator<void, StateObject[]> {
  const parts = [...head].map(([key, { from, to }]) => {
    if (to - from > LONGEST_BYTES) throw new NotAState(`the ${key} of a resource is too long`);
    return `${JSON.stringify(key)}:${bytes.toString("utf8", from, to)}`;
  });
  const parsed = (instance: string) =>
    parseObjects(`${ENVELOPE}{${[...parts, `"instances":[${instance}]`].join(",")}}]}`);
  const [bare] = parsed("{}");
  if (bare === undefined || !wanted.isWantedOf(bare.address)) return [];
  const found: StateObject[] = [];
  let unread = PIECE_BYTES;
  for (const { from, to, values } of instances) {
    if (values > MOST_VALUES) throw new NotAState(`an instance of a resource holds more than ${MOST_VALUES} values`);
    for (const object of parsed(bytes.toString("utf8", from, to)))
      if (wanted.isWanted(object.address)) found.push(withOnly(object, wanted.attributes));
    unread -= to - from;
    if (unread > 0) continue;
    unread = PIECE_BYTES;
    yield;
  }
  return found;
}

const ENVELOPE = '{"version":4,"lineage":"-","serial":0,"terraform_version":"-","resources":[';

function withOnly({ address, attributes }: StateObject, names: ReadonlySet<string>): StateObject {
  const kept = Object.entries(attributes).filter(([name, value]) => names.has(name) && typeof value === "string");
  return { address, attributes: Object.fromEntries(kept) };
}

interface Part {
  readonly depth: number;
  readonly key: string | undefined;
  readonly from: number;
  readonly to: number;
  /** At least as many as it holds, unless parts of it were told before. */
  readonly values: number;
}

interface PartEvents {
  readonly onBegin?: (depth: number, key: string | undefined) => void;
  readonly onEnd: (part: Part) => void;
}

class PartReader implements JsonListener {
  readonly #deepestIn: (member: string | undefined) => number;
  readonly #events: PartEvents;
  readonly #open: { key: string | undefined; from: number }[] = [];
  #member: string | undefined;
  #valuesBefore = 0;

  constructor(deepestIn: (member: string | undefined) => number, events: PartEvents) {
    this.#deepestIn = deepestIn;
    this.#events = events;
  }

  get deepest(): number {
    return this.#deepestIn(this.#member);
  }

  begins(depth: number, key: string | undefined, _kind: JsonKind, from: number): void {
    this.#open[depth] = { key, from };
    if (depth === DEPTH.member) this.#member = key;
    this.#events.onBegin?.(depth, key);
  }

  ends(depth: number, to: number, values: number): void {
    const { key, from } = this.#open[depth] ?? { key: undefined, from: 0 };
    this.#events.onEnd({ depth, key, from, to, values: values - this.#valuesBefore });
    this.#valuesBefore = values;
  }
}
