import type { Run } from "../../operator/api/run.ts";
import type { Paint } from "./text.ts";

/** What it means to say that this pod is dead, with the facts that there are. */
export function unlockWarning({ metadata, spec, status }: Run, podUid: string, paint: Paint): readonly string[] {
  const pod = status?.pods?.find(({ uid }) => uid === podUid)?.name ?? "one that it has no record of";
  return [
    `${paint("strong", metadata.name)} holds the lock of the state of ${spec.environment.name}/${spec.component}.`,
    `Its phase: ${status?.phase ?? "Pending"}. Its pod: ${pod} (UID ${podUid}).`,
    ...(status?.message === undefined ? [] : [status.message]),
    "",
    `${paint("bad", "You say that this pod is dead.")} The operator cannot prove it, and believes you: the lock is released and another pod`,
    "may write the state. If the pod still runs, on a node that is only cut off, two engines then change the same things, and one",
    "of their states is lost. Make sure first: is the machine off, or the process gone? A node that will not come back is better",
    "deleted (kubectl delete node), or tainted node.kubernetes.io/out-of-service: that is proof, and needs no word of yours.",
    "",
  ];
}
