import { isClosed, type Run } from "../api/run.ts";
import { phaseNameOf, recordedPod } from "../run/phase.ts";
import { podName } from "../run/pod.ts";
import { BY, type Caches, PLACE } from "./caches.ts";

export interface Places {
  /** How many are free for this Run, which does not stand in its own way. */
  freeFor(run: Run): number;
  /** Its pod is about to be asked for. */
  take(run: Run): void;
  /** No pod came of it, or the answer was lost: the place counts as taken only if the cache shows a pod. */
  giveBack(run: Run): void;
}

export interface PlaceLimits {
  /** Pods of Runs that change something. */
  readonly runs: number;
  /** Pods of Checks, beside those: a change never waits for a Check. */
  readonly checks: number;
}

/** A Run whose pod was asked for, and whether that is still under way, or was answered with a pod that the cache may not know yet. */
interface Asked {
  readonly run: Run;
  readonly counts: boolean;
}

/** Pods that exist or were just asked for: the cache hears of a new pod a little later than the one who made it. */
export function countPlaces(caches: Pick<Caches, "runs" | "pods">, limits: PlaceLimits): Places {
  const taken = new Map<string, Asked>();
  const hasPod = (run: Run) => caches.pods.get(run.metadata.namespace, podName(run, phaseNameOf(run))) !== undefined;
  let begun = false;
  /** A leader before this one may have made pods that it did not live to record. */
  const begin = () => {
    if (begun) return;
    begun = true;
    for (const run of caches.runs.byIndex(BY.place, PLACE.awaited))
      if (hasPod(run)) taken.set(run.metadata.uid, { run, counts: true });
  };
  /** Until the pod that was asked for is recorded, in the phase that it was asked for: from then on the index counts it, as long as it holds a place. */
  const isOpen = ({ run: asked }: Asked): boolean => {
    const { namespace, name, uid } = asked.metadata;
    const run = caches.runs.get(namespace, name);
    if (run?.metadata.uid !== uid || isClosed(run)) return false;
    return phaseNameOf(run) === phaseNameOf(asked) && recordedPod(run) === undefined;
  };
  const holders = (isCheck: boolean): readonly Run[] => {
    if (!isCheck) return caches.runs.byIndex(BY.place, PLACE.held);
    return caches.runs.byIndex(BY.place, PLACE.check).filter(hasPod);
  };
  return {
    freeFor(run) {
      begin();
      const isCheck = run.spec.operation === "Check";
      const held = new Set(holders(isCheck).map(({ metadata }) => metadata.uid));
      for (const [uid, asked] of taken) {
        if (!isOpen(asked)) taken.delete(uid);
        else if ((asked.counts || hasPod(asked.run)) && (asked.run.spec.operation === "Check") === isCheck)
          held.add(uid);
      }
      held.delete(run.metadata.uid);
      return (isCheck ? limits.checks : limits.runs) - held.size;
    },
    take(run) {
      taken.set(run.metadata.uid, { run, counts: true });
    },
    giveBack(run) {
      taken.set(run.metadata.uid, { run, counts: false });
    },
  };
}
