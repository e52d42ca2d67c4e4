import type { Environment } from "../api/environment.ts";
import type { Reader, Reviewer } from "../cluster/ports.ts";
import { ENVIRONMENTS } from "../cluster/resources.ts";
import type { Reserve } from "../gateway/reception.ts";
import type { Clock } from "../loop/clock.ts";
import type { StateStore } from "../storage/port.ts";
import { type ComponentRecord, type StateKey, stateKeyText } from "../storage/record.ts";
import type { Person } from "./front-proxy.ts";
import { STATES } from "./names.ts";
import { notFound, StatusError } from "./status.ts";

/** What was done to a state, in the words of its Event. */
export type Deed = "StatePulled" | "StatePushed" | "StateRestored" | "StateUnlocked";

export interface StateApiContext {
  readonly store: StateStore;
  readonly client: Pick<Reader, "find" | "listAll"> & Pick<Reviewer, "reviewAccess">;
  readonly clock: Pick<Clock, "now">;
  /** Tells those who look at the Environment. */
  readonly tell: (environment: Environment, deed: Deed, message: string) => void;
}

/** One request of a person, about one state. */
export interface StateRequest {
  readonly context: StateApiContext;
  readonly person: Person;
  readonly key: StateKey;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** For what the answer holds. */
  readonly reserve: Reserve;
  readonly signal: AbortSignal;
}

export interface Wanted {
  readonly verb: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** The API server has asked this before it sent the request on; it is asked again, so that nothing rests on one setting. */
export async function mustBeAllowed(
  { client }: Pick<StateApiContext, "client">,
  { name: user, groups }: Person,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<void> {
  const { allowed } = await client.reviewAccess({ user, groups, resource: STATES, ...wanted }, { signal });
  if (allowed) return;
  const { verb, subresource, namespace, name = "" } = wanted;
  const what = [STATES.plural, subresource].filter(Boolean).join("/");
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
  throw new StatusError(
    403,
    "Forbidden",
    `${what} "${name}" is forbidden: user "${user}" cannot ${verb} ${what} ${where}`,
  );
}

export async function recordFor({ context, key, signal }: StateRequest): Promise<ComponentRecord> {
  const found = await context.store.record(key, signal);
  if (found === undefined) throw notFound(`there is no state of ${stateKeyText(key)}`);
  return found.value;
}

export function environmentOf({ context, key, signal }: StateRequest): Promise<Environment | undefined> {
  return context.client.find<Environment>(ENVIRONMENTS, key.namespace, key.environment, { signal });
}

/** Where the Environment is gone there is nobody to be told; the cluster's audit log has it all the same. */
export async function tell(request: StateRequest, deed: Deed, what: string): Promise<void> {
  const environment = await environmentOf(request);
  if (environment !== undefined) request.context.tell(environment, deed, `${request.person.name} ${what}`);
}
