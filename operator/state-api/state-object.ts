import { LABELS } from "../api/names.ts";
import { versionsOf } from "../storage/by-hand.ts";
import type { BlobRef, ComponentRecord, StateVersion, WrittenByHand } from "../storage/record.ts";
import { STATE_API_VERSION, STATES, stateName } from "./names.ts";

/** A record as people see it: no value of any resource, no archive, no credentials. */
export function stateObject(record: ComponentRecord) {
  const { key, owner, ownership, mayHoldObjects, state, lock, claim, recovery, journal, written } = record;
  const works = claim !== undefined && claim.fenced === undefined;
  return {
    apiVersion: STATE_API_VERSION,
    kind: STATES.kind,
    metadata: {
      name: stateName(key),
      namespace: key.namespace,
      uid: record.storageId,
      creationTimestamp: record.createdAt.replace(/\.\d+Z$/, "Z"),
      labels: { [LABELS.environment]: key.environment, [LABELS.component]: key.component },
    },
    status: {
      environment: key.environment,
      component: key.component,
      ownership,
      environmentUID: owner.environmentUid,
      mayHoldObjects,
      ...(state === undefined ? {} : { lineage: state.lineage, serial: state.serial, resources: state.resources }),
      versions: versionsOf(record).map(versionLine),
      ...(lock === undefined ? {} : { lock: lockLine(lock) }),
      ...(works ? { claim: { id: claim.podUid, run: claim.run, pod: claim.pod ?? "", since: claim.at } } : {}),
      ...(recovery === undefined
        ? {}
        : { recovery: { run: recovery.run, ...blobLine(recovery.blob), storedAt: recovery.at } }),
      ...(journal === undefined ? {} : { journal: { run: journal.run, entries: journal.entries } }),
      ...(written === undefined ? {} : { lastWrite: writingLine(written) }),
    },
  };
}

const writingLine = ({ how, by, at, serial, replaced }: WrittenByHand) => ({
  how,
  by,
  at,
  serial,
  ...(replaced === undefined ? {} : { unsettled: replaced }),
});

export type StateObject = ReturnType<typeof stateObject>;

function versionLine({ serial, lineage, resources, blob, run, by, at }: StateVersion) {
  const who = by === undefined ? { run } : { by };
  return { serial, lineage, resources, ...blobLine(blob), storedAt: at, ...who };
}

const blobLine = ({ digest, size }: BlobRef) => ({ digest, size });

function lockLine({ id, run, pod, podUid, operation, since }: NonNullable<ComponentRecord["lock"]>) {
  return { id, run, pod, podUID: podUid, operation, since };
}

export function stateList(records: readonly ComponentRecord[]) {
  const items = records
    .map(stateObject)
    .sort((a, b) => order(a.metadata.namespace, b.metadata.namespace) || order(a.metadata.name, b.metadata.name));
  return { apiVersion: STATE_API_VERSION, kind: `${STATES.kind}List`, metadata: { resourceVersion: "0" }, items };
}

const order = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
