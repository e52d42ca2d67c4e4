/** Parts of a stored state, each as a tree of its own: of the whole there is none, whatever its size. */
import type { JsonKind, JsonListener } from "./json-walk.ts";
import { type OutputValue, parseOutputs } from "./outputs.ts";
import { NotAState, parseObjects, type StateObject } from "./state.ts";
import { MOST_OUTPUT_VALUES, walkState } from "./state-envelope.ts";

/** Of one resource with all its instances. */
const MOST_RESOURCE_VALUES = 500_000;
const MOST_OBJECTS = 50_000;

export interface Wanted {
  readonly isWanted: (address: string) => boolean;
  /** The names of attributes that are kept. */
  readonly attributes: ReadonlySet<string>;
}

/** Throws `NotAState`, also where they hold more values than those of a state that is stored. */
export function* readOutputs(bytes: Buffer): Generator<void, OutputValue[]> {
  let outputs = "null";
  const reader = new PartReader(() => 1, {
    onEnd: (part) => {
      if (part.key === "outputs") outputs = textOf(bytes, part, MOST_OUTPUT_VALUES);
    },
  });
  yield* walkState(bytes, reader);
  return parseOutputs(`{"version":4,"outputs":${outputs}}`);
}

/** The managed objects that are wanted. Throws `NotAState`, also where they are too many to be kept in memory. */
export function* readObjects(bytes: Buffer, { isWanted, attributes }: Wanted): Generator<void, readonly StateObject[]> {
  let found: StateObject[] = [];
  const reader = new PartReader((member) => (member === "resources" ? 2 : 1), {
    // Where it stands twice, the last one counts.
    onMember: (key) => {
      if (key === "resources") found = [];
    },
    onEnd: (part) => {
      if (part.depth !== 2) return;
      const all = parseObjects(`${ENVELOPE}${textOf(bytes, part, MOST_RESOURCE_VALUES)}]}`);
      for (const object of all) if (isWanted(object.address)) found.push(withOnly(object, attributes));
      if (found.length > MOST_OBJECTS) throw new NotAState(`the state holds more than ${MOST_OBJECTS} objects`);
    },
  });
  yield* walkState(bytes, reader);
  return found;
}

const ENVELOPE = '{"version":4,"lineage":"-","serial":0,"terraform_version":"-","resources":[';

function withOnly({ address, attributes }: StateObject, names: ReadonlySet<string>): StateObject {
  const kept = Object.entries(attributes).filter(([name, value]) => names.has(name) && typeof value === "string");
  return { address, attributes: Object.fromEntries(kept) };
}

/** A member of the document, or an element of one. */
interface Part {
  readonly depth: number;
  readonly key: string | undefined;
  readonly from: number;
  readonly to: number;
  readonly values: number;
}

function textOf(bytes: Buffer, { from, to, values }: Part, most: number): string {
  if (values > most) throw new NotAState(`a part of the state holds more than ${most} values`);
  return bytes.toString("utf8", from, to);
}

interface PartEvents {
  readonly onMember?: (key: string | undefined) => void;
  readonly onEnd: (part: Part) => void;
}

class PartReader implements JsonListener {
  readonly #deepestIn: (member: string | undefined) => 1 | 2;
  readonly #events: PartEvents;
  readonly #open: { key: string | undefined; from: number }[] = [];
  #member: string | undefined;
  #valuesBefore = 0;

  constructor(deepestIn: (member: string | undefined) => 1 | 2, events: PartEvents) {
    this.#deepestIn = deepestIn;
    this.#events = events;
  }

  get deepest(): number {
    return this.#deepestIn(this.#member);
  }

  begins(depth: number, key: string | undefined, _kind: JsonKind, from: number): void {
    this.#open[depth] = { key, from };
    if (depth !== 1) return;
    this.#member = key;
    this.#events.onMember?.(key);
  }

  ends(depth: number, to: number, values: number): void {
    const { key, from } = this.#open[depth] ?? { key: undefined, from: 0 };
    this.#events.onEnd({ depth, key, from, to, values: values - this.#valuesBefore });
    this.#valuesBefore = values;
  }
}
