/** The store, read as the operator reads it: what it has is what outlives a pod. */
import { openKeyRing } from "../../../operator/storage/keys.ts";
import { createSecretStore } from "../../../operator/storage/secret-store.ts";
import { awaitCondition } from "../../../tools/cluster/await-condition.ts";
import { operatorNamespace } from "./installation.ts";
import { patience } from "./patience.ts";
import type { Place } from "./place.ts";

/** Waits until the journal of the component's Run has so many entries in the store: agents send theirs a moment later. */
export async function untilJournalled(
  { installation: { client }, namespace }: Place,
  environment: string,
  component: string,
  entries: number,
): Promise<void> {
  const ring = await openKeyRing(client, operatorNamespace);
  const store = createSecretStore({ client, namespace: operatorNamespace, ring });
  await awaitCondition(`the journal of ${component} to have ${entries} entries`, 30 * patience, async () => {
    const found = await store.record({ namespace, environment, component });
    const stored = found?.value.journal?.entries ?? 0;
    return stored >= entries || `it has ${stored}`;
  });
}
