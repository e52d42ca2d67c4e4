import type { StateObject } from "./state-object.ts";

/** `kubectl get` asks for a table and shows bare names to those who do not have one. */
export const asksForTable = (accept: string | undefined): boolean => /(^|[;,\s])as=Table(;|,|$)/.test(accept ?? "");

const COLUMNS = ["Name", "Serial", "Resources", "Stored by", "Locked by", "Needs"] as const;

export function tableOf(states: readonly StateObject[]) {
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: { resourceVersion: "0" },
    columnDefinitions: COLUMNS.map((name) => ({
      name,
      type: name === "Serial" || name === "Resources" ? "integer" : "string",
      format: name === "Name" ? "name" : "",
      description: "",
      priority: 0,
    })),
    rows: states.map((state) => ({ cells: cellsOf(state), object: partialOf(state) })),
  };
}

function cellsOf({ metadata, status }: StateObject): readonly unknown[] {
  const { serial, resources, versions, lock, claim, recovery } = status;
  const newest = versions[0];
  const author = newest === undefined ? "" : "by" in newest ? newest.by : newest.run;
  const needs = recovery === undefined ? "" : `recovery copy of ${recovery.run}`;
  return [metadata.name, serial ?? null, resources ?? null, author, (lock ?? claim)?.run ?? "", needs];
}

const partialOf = ({ metadata }: StateObject) => ({
  kind: "PartialObjectMetadata",
  apiVersion: "meta.k8s.io/v1",
  metadata,
});
