import type { Run } from "../../operator/api/run.ts";
import type { KubeObject } from "../../operator/cluster/ports.ts";
import { RUNS } from "../../operator/cluster/resources.ts";
import { seenByRuns } from "../../operator/state-api/seen-by-runs.ts";
import { pushState } from "../../operator/storage/by-hand.ts";
import { type ComponentRecord, type StateKey, stateKeyText } from "../../operator/storage/record.ts";
import { isRefused } from "../../operator/storage/refusal.ts";
import { readState } from "../../operator/storage/versions.ts";
import type { WorldApi } from "./world-api.ts";
import type { WorldClock } from "./world-clock.ts";
import { readStateBytes, stateBytes } from "./world-module.ts";
import type { WorldStore } from "./world-store.ts";
import type { Turns } from "./world-turns.ts";

/** A person who puts states into the store, and what must follow from that. */
export interface Hands {
  /** Pulls the state of a component and pushes it under the next serial, as whoever has mended something in it does. */
  push(key: StateKey): void;
  /** Another state is in the place of what was applied, and no plan has ended well since. */
  isReplaced(key: StateKey): boolean;
  /** Number of the newest Run that was there when a person wrote this state last; 0 where nobody has. */
  newestRunBefore(key: StateKey): number;
  /** An engine is about to apply this Run's plan. */
  applies(run: string): void;
  /** To be asked after every step of the world. */
  check(): void;
}

export interface HandsParts {
  readonly api: WorldApi;
  readonly store: WorldStore;
  readonly turns: Turns;
  readonly clock: Pick<WorldClock, "now">;
  readonly tell: (line: string) => void;
  readonly violated: (what: string) => void;
}

const ENDS_WELL: ReadonlySet<string> = new Set(["Applied", "Unchanged", "Destroyed"]);

interface Written {
  readonly at: string;
  readonly serial: number;
  readonly newestRun: number;
  /** The Run that had ended well last when the state was written. */
  readonly settledBy: string | undefined;
  /** It is not just what was there: an engine may have left the same, under the same serial, a moment before. */
  readonly isOther: boolean;
}

export function createHands({ api, store, turns, clock, tell, violated }: HandsParts): Hands {
  const jane = store.seenBy(turns.mortal("jane"));
  const writings = new Map<string, Written>();
  /** The Run of a component that has ended well last, as far as its record says. */
  const settledBy = new Map<string, string>();
  /** Of the states that were there when the records were looked at last. */
  let digests = new Map<string, string | undefined>();
  let lookedAt: readonly ComponentRecord[] | undefined;

  const runs = () => api.all<Run & KubeObject>(RUNS.plural);

  async function push(key: StateKey): Promise<void> {
    const record = (await jane.record(key))?.value;
    const found = record === undefined ? undefined : await readState(jane, record);
    if (found === undefined) return;
    const state = readStateBytes(found);
    const next = stateBytes({ ...state, serial: state.serial + 1 });
    const { environmentUid } = record?.owner ?? {};
    const own = runs().filter(({ spec }) => spec.environment.uid === environmentUid);
    const seen = seenByRuns(own, { name: key.component, formerName: undefined });
    await pushState(jane, key, next, { by: "jane", at: clock.now(), force: false, ...seen });
  }

  const isReplaced = (key: StateKey): boolean => {
    const name = stateKeyText(key);
    const written = writings.get(name);
    return written?.isOther === true && settledBy.get(name) === written.settledBy;
  };

  return {
    push(key) {
      tell(`person: pushes the state of ${key.component}`);
      turns.spawn(async () => {
        try {
          await push(key);
        } catch (error) {
          // Whoever is refused, or does not know what has become of it, leaves it at that.
          tell(`person: ${isRefused(error) ? error.message : String(error)}`);
        }
      });
    },
    isReplaced,
    newestRunBefore: (key) => writings.get(stateKeyText(key))?.newestRun ?? 0,
    applies(name) {
      const run = runs().find(({ metadata }) => metadata.name === name);
      if (run?.spec.operation !== "Apply") return;
      const { environment, component, rules } = run.spec;
      if (!isReplaced({ namespace: run.metadata.namespace, environment: environment.name, component })) return;
      const { required = 0, unless } = rules?.approval ?? {};
      if (required === 0 || unless !== undefined)
        violated(`I4: ${name} applies what follows from a state that a person has put in, and nobody was asked`);
    },
    check() {
      const records = store.versions.at(-1) ?? [];
      // What has been looked at says nothing new.
      if (records === lookedAt) return;
      lookedAt = records;
      const before = digests;
      digests = new Map(records.map(({ key, state }) => [stateKeyText(key), state?.blob.digest]));
      for (const { key, written, lastResult } of records) {
        const name = stateKeyText(key);
        if (lastResult !== undefined && ENDS_WELL.has(lastResult.outcome.result))
          settledBy.set(name, lastResult.runUid);
        const known = writings.get(name);
        if (written === undefined) writings.delete(name);
        else if (written.at !== known?.at || written.serial !== known.serial)
          writings.set(name, {
            at: written.at,
            serial: written.serial,
            newestRun: written.newestRun ?? 0,
            settledBy: settledBy.get(name),
            isOther: digests.get(name) !== before.get(name) || isReplaced(key),
          });
      }
    },
  };
}
