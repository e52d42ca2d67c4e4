import { type StateKey, stateKeyText } from "../../operator/storage/record.ts";

/** Something real that an engine made. */
export interface CloudObject {
  readonly id: string;
  readonly key: string;
  readonly address: string;
  readonly content: string;
  readonly run: string;
}

/** An engine that may change real things now. */
export interface Writer {
  readonly key: string;
  readonly pod: string;
  readonly run: string;
}

/** The real things, and who may change them at this moment: what every promise about states is measured against. */
export interface Cloud {
  objects(key?: StateKey): readonly CloudObject[];
  writers(): readonly Writer[];
  begin(key: StateKey, pod: string, run: string): void;
  /** The engine of that pod has ended, in whatever way. */
  end(pod: string): readonly Writer[];
  create(pod: string, address: string, content: string): string;
  change(pod: string, id: string, content: string): void;
  destroy(pod: string, id: string): void;
  /** Somebody edits a thing by hand; without content it is deleted. Gives what undoes that. */
  tamper(id: string, content?: string): () => void;
  /** The things as the engines left them, whatever somebody did by hand that no engine has mended since. */
  asApplied(key: StateKey): readonly CloudObject[];
  /** What an engine that plans now sees of that: a mark for each thing, another one after each edit. */
  tampered(key: StateKey): readonly string[];
  /** An engine has applied a plan that saw these, and nothing that came later. */
  mended(marks: readonly string[]): void;
  /** Created by an engine that was killed before it handed its state over: no state knows of it. */
  abandon(id: string): void;
  abandoned(): ReadonlySet<string>;
  /** Starts and ends of every engine, creations and destructions, in order. */
  readonly ledger: readonly string[];
}

export function createCloud(violated: (what: string) => void): Cloud {
  const objects = new Map<string, CloudObject>();
  const writers = new Map<string, Writer>();
  const lost = new Set<string>();
  const originals = new Map<string, CloudObject>();
  const marks = new Map<string, string>();
  const ledger: string[] = [];
  let [ids, edits] = [0, 0];
  const writerOf = (pod: string): Writer => {
    const writer = writers.get(pod);
    if (writer === undefined) throw new Error(`${pod} changes things without having begun`);
    return writer;
  };
  return {
    ledger,
    objects: (key) => [...objects.values()].filter((object) => key === undefined || object.key === stateKeyText(key)),
    writers: () => [...writers.values()],
    begin(key, pod, run) {
      const name = stateKeyText(key);
      const rival = [...writers.values()].find((writer) => writer.key === name);
      if (rival !== undefined) violated(`I1: ${run} begins to write ${name} while ${rival.run} does`);
      writers.set(pod, { key: name, pod, run });
      ledger.push(`begin ${run}`);
    },
    end(pod) {
      const ended = [...writers.values()].filter((writer) => writer.pod === pod);
      writers.delete(pod);
      for (const { run } of ended) ledger.push(`end ${run}`);
      return ended;
    },
    create(pod, address, content) {
      const { key, run } = writerOf(pod);
      ids += 1;
      const id = `id-${ids}`;
      for (const [old, lost] of originals) if (lost.key === key && lost.address === address) originals.delete(old);
      objects.set(id, { id, key, address, content, run });
      ledger.push(`create ${address} by ${run}`);
      return id;
    },
    change(pod, id, content) {
      const { run } = writerOf(pod);
      const object = objects.get(id);
      const lost = originals.get(id);
      if (object !== undefined) {
        objects.set(id, { ...object, content });
        // Whatever somebody did to it by hand is written over.
        originals.delete(id);
      } else if (lost !== undefined) originals.set(id, { ...lost, content });
      ledger.push(`change ${(object ?? lost)?.address} by ${run}`);
    },
    destroy(pod, id) {
      const { run } = writerOf(pod);
      ledger.push(`destroy ${(objects.get(id) ?? originals.get(id))?.address} by ${run}`);
      objects.delete(id);
      originals.delete(id);
    },
    tamper(id, content) {
      const object = objects.get(id);
      if (object === undefined) return () => {};
      if (!originals.has(id)) originals.set(id, object);
      edits += 1;
      marks.set(id, `${id} by edit ${edits}`);
      if (content === undefined) objects.delete(id);
      else objects.set(id, { ...object, content });
      return () => {
        objects.set(id, object);
        originals.delete(id);
      };
    },
    asApplied(key) {
      const name = stateKeyText(key);
      return [...new Map([...objects, ...originals]).values()].filter((object) => object.key === name);
    },
    tampered: (key) =>
      [...originals].filter(([, object]) => object.key === stateKeyText(key)).flatMap(([id]) => marks.get(id) ?? []),
    mended(seen) {
      for (const id of [...originals.keys()]) if (seen.includes(marks.get(id) ?? "")) originals.delete(id);
    },
    abandon: (id) => void lost.add(id),
    abandoned: () => lost,
  };
}
