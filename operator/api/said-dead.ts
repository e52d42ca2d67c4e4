import { ANNOTATIONS } from "./names.ts";
import type { Run } from "./run.ts";

/** UID of the pod that a person says is dead. A word about one pod says nothing about the next one of the same Run. */
export const saidDead = ({ metadata }: Run): string | undefined => metadata.annotations?.[ANNOTATIONS.confirmDead];

/** What a person has to say about that pod, and of no other. */
export const sayDeadCommand = (
  { name, namespace }: Pick<Run["metadata"], "name" | "namespace">,
  podUid: string,
): string => `kubectl annotate run ${name} -n ${namespace} --overwrite ${ANNOTATIONS.confirmDead}=${podUid}`;

/** A clause for a person whose word names no pod of the Run, as `true` does not. */
export function unheardWord(run: Run, podUid: string): string {
  const said = saidDead(run);
  const known = said === undefined || run.status?.pods?.some(({ uid }) => uid === said);
  return known ? "" : `; ${ANNOTATIONS.confirmDead} names no pod of it: ${sayDeadCommand(run.metadata, podUid)}`;
}

/** UID of the pod whose death is in question: the one that the store knows to apply, which the Run may not have on record, or its last one. */
export const podInQuestion = ({ status }: Run): string | undefined => status?.unprovenPod ?? status?.pods?.at(-1)?.uid;
