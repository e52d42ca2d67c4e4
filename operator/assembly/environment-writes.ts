import type { Environment } from "../api/environment.ts";
import { ANNOTATIONS, FINALIZERS } from "../api/names.ts";
import { isConflict, isInvalid, isNotFound } from "../cluster/errors.ts";
import type { Client, EventRecorder, StatusWriter, Stored } from "../cluster/ports.ts";
import { ENVIRONMENTS, referenceTo } from "../cluster/resources.ts";
import type { EnvironmentPorts } from "../environment/ports.ts";
import type { CachedEnvironment } from "./caches.ts";
import { addFinalizer, removeFinalizer } from "./finalizers.ts";
import { hasChanged } from "./news.ts";
import { writeOutputs } from "./output-objects.ts";

interface Parts {
  readonly client: Client;
  readonly events: EventRecorder;
  readonly statuses: StatusWriter;
}

type EnvironmentWrites =
  | "setFinalizer"
  | "setConfirmations"
  | "withdrawOverride"
  | "withdrawCancel"
  | "deleteEnvironment"
  | "writeOutputs"
  | "writeStatus"
  | "event";

/** A custom resource, said to be one of the API server's: our type of its metadata is narrower than what is there. */
const stored = (environment: Environment) => environment as Stored<CachedEnvironment>;

export const environmentReference = (environment: Environment) => referenceTo(ENVIRONMENTS, stored(environment));

/** What the Environment controller writes to an Environment, and to what stands for it. */
export function environmentWrites({ client, statuses, events }: Parts): Pick<EnvironmentPorts, EnvironmentWrites> {
  return {
    ...annotationWrites(client),
    setFinalizer: (environment, present, signal) => setFinalizer(client, environment, present, signal),
    async deleteEnvironment({ metadata }, signal) {
      const { uid, resourceVersion } = metadata;
      const preconditions = { uid, resourceVersion };
      try {
        await client.delete(ENVIRONMENTS, metadata.namespace, metadata.name, { signal, preconditions });
      } catch (error) {
        // Its life may just have been extended.
        if (!isConflict(error) || !(await hasChanged(client, ENVIRONMENTS, metadata, signal))) throw error;
      }
    },
    writeOutputs: (environment, outputs, signal) => writeOutputs(client, environment, outputs, signal),
    writeStatus: (environment, status, signal) =>
      statuses.write<CachedEnvironment>(ENVIRONMENTS, stored(environment), status, { signal }).catch(unlessGone),
    event(environment, type, reason, message) {
      events.record(environmentReference(environment), { type, reason, message });
    },
  };
}

type AnnotationWrites = "setConfirmations" | "withdrawOverride" | "withdrawCancel";

function annotationWrites(client: Client): Pick<EnvironmentPorts, AnnotationWrites> {
  return {
    setConfirmations(environment, names, signal) {
      const value = names.length === 0 ? null : names.join(",");
      return annotate(client, environment, { [ANNOTATIONS.confirmDestroy]: value }, signal);
    },
    withdrawOverride: (environment, signal) =>
      annotate(client, environment, { [ANNOTATIONS.windowOverride]: null }, signal),
    async withdrawCancel({ metadata }, run, signal) {
      const path = `/metadata/annotations/${ANNOTATIONS.cancel.replaceAll("/", "~1")}`;
      const patch = [
        { op: "test", path: "/metadata/uid", value: metadata.uid },
        { op: "test", path, value: run },
        { op: "remove", path },
      ] as const;
      // 422: it is gone, or names another Run by now.
      await client.jsonPatch(ENVIRONMENTS, metadata.namespace, metadata.name, patch, { signal }).catch(unlessInvalid);
    },
  };
}

async function annotate(
  client: Client,
  { metadata }: Environment,
  annotations: Readonly<Record<string, string | null>>,
  signal: AbortSignal,
): Promise<void> {
  const { uid, resourceVersion } = metadata;
  const patch = { metadata: { uid, resourceVersion, annotations } };
  try {
    await client.mergePatch(ENVIRONMENTS, metadata.namespace, metadata.name, patch, { signal });
  } catch (error) {
    // Somebody has written meanwhile, perhaps another reason or confirmation: the next round looks at what it is now.
    if (!isConflict(error) || !(await hasChanged(client, ENVIRONMENTS, metadata, signal))) throw error;
  }
}

/** An object that went away meanwhile has no status to write. */
export function unlessGone(error: unknown): false {
  if (isNotFound(error)) return false;
  throw error;
}

function unlessInvalid(error: unknown): undefined {
  if (isInvalid(error) || isNotFound(error)) return undefined;
  throw error;
}

async function setFinalizer(client: Client, { metadata }: Environment, present: boolean, signal: AbortSignal) {
  const change = present ? addFinalizer : removeFinalizer;
  await change(client, ENVIRONMENTS, metadata, FINALIZERS.environment, signal);
}
