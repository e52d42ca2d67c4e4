import { isClosed, type Run } from "../api/run.ts";
import { BY, type Caches, PLACE } from "./caches.ts";

export interface Places {
  /** How many are free for this Run, which does not stand in its own way. */
  freeFor(run: Run): number;
  /** Its pod is about to be asked for. */
  take(run: Run): void;
}

/** Pods that exist or were just asked for: the cache hears of a new pod a little later than the one who made it. */
export function countPlaces(caches: Pick<Caches, "runs">, maxRuns: number): Places {
  const taken = new Map<string, Run["metadata"]>();
  const isOpen = ({ uid, namespace, name }: Run["metadata"]): boolean => {
    const run = caches.runs.get(namespace, name);
    return run?.metadata.uid === uid && !isClosed(run);
  };
  return {
    freeFor({ metadata }) {
      const holders = new Set(caches.runs.byIndex(BY.place, PLACE.held).map((run) => run.metadata.uid));
      for (const [uid, asked] of taken) {
        if (isOpen(asked)) holders.add(uid);
        else taken.delete(uid);
      }
      holders.delete(metadata.uid);
      return maxRuns - holders.size;
    },
    take({ metadata }) {
      taken.set(metadata.uid, metadata);
    },
  };
}
