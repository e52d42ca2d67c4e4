import type { Environment } from "../api/environment.ts";
import { API_VERSION, LABELS } from "../api/names.ts";
import type { ConfigMap, Secret } from "../cluster/kinds.ts";
import type { Writer } from "../cluster/ports.ts";
import { CONFIG_MAPS, SECRETS } from "../cluster/resources.ts";
import type { OutputValue } from "../environment/ports.ts";

/** Strings as they are, everything else as JSON: what a pod that mounts the object expects to read. */
const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value ?? null));

/**
 * Writes the objects that `writeOutputsTo` names, owned by the Environment. A Secret that exists and does not carry the
 * label is refused by the installation's admission policy (403), so that nobody's Secret is overwritten.
 */
export async function writeOutputs(
  writer: Pick<Writer, "apply">,
  environment: Environment,
  outputs: ReadonlyMap<string, OutputValue>,
  signal: AbortSignal,
): Promise<void> {
  const { configMap, secret } = environment.spec.writeOutputsTo ?? {};
  const texts = (sensitive: boolean) =>
    Object.fromEntries(
      [...outputs]
        .filter(([, { record }]) => record.sensitive === sensitive)
        .map(([name, { value }]) => [name, textOf(value)]),
    );
  if (configMap !== undefined) {
    const data = texts(false);
    await writer.apply<ConfigMap>(CONFIG_MAPS, { metadata: metadataFor(environment, configMap), data }, { signal });
  }
  if (secret !== undefined) {
    const data = Object.fromEntries(
      Object.entries(texts(true)).map(([name, text]) => [name, Buffer.from(text).toString("base64")]),
    );
    const metadata = metadataFor(environment, secret);
    await writer.apply<Secret>(SECRETS, { metadata, type: "Opaque", data }, { signal });
  }
}

function metadataFor({ metadata }: Environment, name: string) {
  return {
    name,
    namespace: metadata.namespace,
    labels: { [LABELS.outputsOf]: metadata.name },
    ownerReferences: [{ apiVersion: API_VERSION, kind: "Environment", name: metadata.name, uid: metadata.uid }],
  };
}
