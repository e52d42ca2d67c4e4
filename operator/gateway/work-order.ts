import { durationMs } from "../api/fields.ts";
import type { Run, RunInputs } from "../api/run.ts";
import { destroyBasis } from "../storage/applying.ts";
import { heldFor } from "../storage/holding.ts";
import type { KeyRing } from "../storage/key-ring.ts";
import { digestKeyOf, outputsOf, type StoredOutput } from "../storage/outputs.ts";
import type { StateStore } from "../storage/port.ts";
import type { BlobRef, Claim, ComponentRecord, Held, UsedOutput } from "../storage/record.ts";
import { Refused } from "../storage/refusal.ts";
import type { OrderedVariable, WorkOrder } from "./protocol.ts";
import { issueSession, type Session } from "./sessions.ts";
import { mustBeSettled } from "./settled.ts";

export interface ResolvedVariables {
  readonly variables: readonly OrderedVariable[];
  readonly used: readonly UsedOutput[];
}

type Reference = { readonly component: string; readonly name: string };

/**
 * Variables as the agent needs them: references to outputs become values of the other components' stored states. Throws
 * `Refused("OutputMissing")` naming both, and `Refused("OutputsUnsettled")` while the other component is being changed.
 */
export async function resolveVariables(
  store: StateStore,
  ring: KeyRing,
  session: Session,
  inputs: RunInputs,
  signal: AbortSignal,
): Promise<ResolvedVariables> {
  const components = new Map<string, Provider>();
  const variables: OrderedVariable[] = [];
  const used: UsedOutput[] = [];
  for (const { name, value, valueFrom } of inputs.variables) {
    const { secretKeyRef, configMapKeyRef, output } = valueFrom ?? {};
    if (secretKeyRef !== undefined) {
      variables.push({ name, kind: "secret", secret: secretKeyRef.name, key: secretKeyRef.key });
    } else if (configMapKeyRef !== undefined) {
      variables.push({ name, kind: "configMap", configMap: configMapKeyRef.name, key: configMapKeyRef.key });
    } else if (output !== undefined) {
      const from =
        components.get(output.component) ?? (await providerOf(store, ring, session, output.component, signal));
      components.set(output.component, from);
      const found = from.outputs.get(output.name);
      if (from.record !== undefined) mustBeSettled(from.record, output.name, found);
      if (found === undefined) throw missing(name, output, [...from.outputs.keys()]);
      variables.push({ name, kind: "value", value: found.value as never, sensitive: found.record.sensitive });
      used.push({ component: output.component, name: output.name, digest: found.record.digest });
    } else variables.push({ name, kind: "value", value: value ?? null, sensitive: false });
  }
  return { variables, used };
}

/** Another component, whose outputs are used. */
interface Provider {
  readonly record: ComponentRecord | undefined;
  readonly outputs: ReadonlyMap<string, StoredOutput>;
}

async function providerOf(
  store: StateStore,
  ring: KeyRing,
  { key, environmentUid }: Session,
  component: string,
  signal: AbortSignal,
): Promise<Provider> {
  const record = (await store.record({ ...key, component }, signal))?.value;
  if (record?.owner.environmentUid !== environmentUid) return { record: undefined, outputs: new Map() };
  const outputs = await outputsOf(store, ring, record, signal);
  return { record, outputs: new Map(outputs.map((output) => [output.record.name, output])) };
}

function missing(variable: string, { component, name }: Reference, offered: readonly string[]): Refused {
  const has = offered.length === 0 ? "none" : offered.join(", ");
  return new Refused(
    "OutputMissing",
    `variable ${variable}: component ${component} has no output ${name}; it has ${has}`,
  );
}

/** Pure: everything that one pod needs to know. */
export function workOrderFor(
  ring: KeyRing,
  session: Session,
  run: Run,
  facts: {
    readonly record: ComponentRecord;
    readonly claim: Claim | undefined;
    readonly variables: readonly OrderedVariable[];
  },
): WorkOrder {
  const { spec, metadata } = run;
  const { record, claim, variables } = facts;
  const { inputs } = spec;
  const held = session.phase === "Apply" ? heldFor(record, session) : undefined;
  const { source, path } = archivedFor(spec, record, held) ?? inputs;
  // What is destroyed or checked was applied: what its module declares was looked at then.
  const own = spec.operation === "Apply" ? inputs.ownVariables : undefined;
  const sourceConfigMap = spec.operation === "Apply" ? inputs.source.configMap?.name : undefined;
  return {
    session: issueSession(ring, session),
    run: { namespace: metadata.namespace, name: metadata.name, uid: metadata.uid, number: spec.number },
    environment: { name: spec.environment.name, uid: spec.environment.uid },
    component: spec.component,
    operation: spec.operation,
    phase: session.phase,
    source,
    path,
    ...(sourceConfigMap === undefined ? {} : { sourceConfigMap }),
    ...(inputs.revision === undefined ? {} : { revision: inputs.revision }),
    variables: [...variables],
    ...(own === undefined ? {} : { ownVariables: own }),
    credentials: inputs.credentials,
    timeouts: { planMs: durationMs(inputs.timeouts.plan), applyMs: durationMs(inputs.timeouts.apply) },
    overrideBackend: inputs.backend === "Managed",
    stateExists: record.state !== undefined,
    ...(claim?.applying === undefined ? {} : { applying: claim.applying }),
    ...(held === undefined ? {} : { held: held.plan }),
    digestKey: digestKeyOf(ring, record).toString("base64"),
    ...(spec.drift === undefined ? {} : { ignore: spec.drift.ignore }),
  };
}

/** A plan that waited is applied with what it was made from, and a destroy works from what was applied. */
function archivedFor({ operation, inputs }: Run["spec"], record: ComponentRecord, held: Held | undefined) {
  if (held?.archive !== undefined) return { source: archiveSource(held.archive), path: inputs.path };
  return operation === "Apply" ? undefined : archivedModule(record);
}

const archiveSource = ({ digest, size }: BlobRef) => ({ archive: { digest, size } });

function archivedModule(record: ComponentRecord) {
  const { archive, path } = destroyBasis(record);
  return { source: archiveSource(archive), path };
}
