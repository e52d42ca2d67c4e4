/** The operator's store when nothing more goes into it, and what waits for it meanwhile. */
import { join } from "node:path";
import type { Pod } from "../../../operator/cluster/kinds.ts";
import { POD_PATHS } from "../../../runner/pod-layout.ts";
import { awaitCondition } from "../../../tools/cluster/await-condition.ts";
import { filesIn } from "./containers.ts";
import { operatorNamespace } from "./installation.ts";
import { patience } from "./patience.ts";
import type { Place } from "./place.ts";

/**
 * As under an administrator's quota that is used up: whatever is deleted meanwhile, no Secret can be made in the operator's namespace. Those that
 * are there can be read and changed.
 */
export async function whileStoreIsFull({ installation: { kubectl } }: Place, meanwhile: () => Promise<void>) {
  const ours = ["--namespace", operatorNamespace];
  const metadata = { name: "used-up", namespace: operatorNamespace };
  const spec = { hard: { "count/secrets": "0" } };
  const oneMore = ["create", "secret", "generic", "one-more", "--dry-run=server", ...ours];
  try {
    await kubectl.apply(JSON.stringify({ apiVersion: "v1", kind: "ResourceQuota", metadata, spec }));
    await awaitCondition("the quota to hold", 60 * patience, () =>
      kubectl.run(oneMore).then(
        () => "a Secret could be made",
        ({ message }: Error) => /exceeded quota/.test(message) || message,
      ),
    );
    await meanwhile();
  } finally {
    await kubectl.run(["delete", "resourcequota", metadata.name, "--ignore-not-found", ...ours]);
  }
}

/** The states that the pod's agent keeps on its disk until the store has them, the oldest first. */
export async function statesWaitingIn(pod: Pod): Promise<readonly string[]> {
  const files = await filesIn(pod, "agent", join(POD_PATHS.spool, "state"));
  return [...files].filter(([name]) => name.includes(".state.")).map(([, text]) => text);
}
