import type { Source } from "../api/source.ts";
import type { Observation } from "./observation.ts";
import type { EnvironmentPorts } from "./ports.ts";

/** Gathers all that a decision may depend on, or nothing where the Environment is gone. */
export async function observe(
  namespace: string,
  name: string,
  ports: EnvironmentPorts,
  signal: AbortSignal,
): Promise<Observation | undefined> {
  const environment = ports.environment(namespace, name);
  if (environment === undefined) {
    ports.stopFollowing(namespace, name);
    return undefined;
  }
  const deleting = environment.metadata.deletionTimestamp !== undefined;
  const records = deleting ? await ports.freshRecordsOf(namespace, name, signal) : ports.recordsOf(namespace, name);
  const credentialsFor = (source: Source) =>
    source.git?.secretRef === undefined
      ? undefined
      : records.find(
          ({ applied, sourceCredentials }) =>
            sourceCredentials !== undefined && applied?.inputs.source.git?.url === source.git?.url,
        )?.sourceCredentials;
  return {
    environment,
    runs: ports.runsOf(environment),
    records,
    revisionOf: (source) => ports.revisionOf(environment, source, credentialsFor(source)),
    catalogue: ports.catalogue,
    nowMs: ports.now().getTime(),
    crdTerminating: deleting && (await ports.crdTerminating(signal)),
  };
}
