/** The JSON of a plan (`show -json`) becomes what people and rules need to know. No value of an attribute leaves here. */
import { changedAttributes, changedPathsIn } from "./plan-attributes.ts";
import { gravestFirst, type ListedChanges, listChanges, onlyUndoesDrift } from "./plan-changes.ts";
import {
  actionOf,
  type Change,
  isDrift,
  isImported,
  isMoved,
  isTouched,
  type PlanAction,
  planDocumentOf,
  type ResourceChange,
} from "./plan-document.ts";

export { NotAPlan, type PlanAction } from "./plan-document.ts";

export interface PlanSummary {
  readonly create: number;
  readonly update: number;
  readonly replace: number;
  readonly delete: number;
  /** Leave the state, but not the world. */
  readonly forget: number;
  readonly import: number;
  readonly move: number;
  readonly read: number;
  readonly outputs: number;
}

/** By name of an attribute: paths of all that changes in it. Their keys may be data: they are for rules, and are not told. */
export type PathsIn = ReadonlyMap<string, readonly string[]>;

export interface PlannedResource {
  readonly address: string;
  readonly type: string;
  readonly action: PlanAction;
  /** Top-level attributes that differ or are not known yet; names only. */
  readonly changed: readonly string[];
  /** What changes in those of them in which paths tell more, as in `tags.Owner`. */
  readonly paths?: PathsIn;
  /** Those that force the replacement. */
  readonly replacedBy: readonly string[];
  readonly reason?: string;
  readonly movedFrom?: string;
  readonly imported?: boolean;
}

export interface DriftEntry {
  readonly address: string;
  readonly type: string;
  readonly action: "Changed" | "Gone";
  readonly changed: readonly string[];
  readonly paths?: PathsIn;
}

export interface Bounded<T> {
  readonly items: readonly T[];
  /** How many there are in all. */
  readonly total: number;
  readonly truncated: boolean;
}

export interface PlanReport {
  readonly summary: PlanSummary;
  /** Nothing to do: see `readPlan`. */
  readonly isEmpty: boolean;
  /** What is hardest to undo comes first. */
  readonly resources: Bounded<PlannedResource>;
  /** What rules are asked about: see `listChanges`. */
  readonly changes: ListedChanges;
  /** The plan does nothing but bring back what somebody else changed in the world: see `onlyUndoesDrift`. */
  readonly driftOnly: boolean;
  readonly drift: Bounded<DriftEntry>;
  readonly outputs: Bounded<{ readonly name: string; readonly action: PlanAction; readonly sensitive: boolean }>;
  readonly engineVersion?: string;
}

/**
 * A plan is empty when no resource changes, moves or is imported and no output changes. An output-only change counts:
 * other components are wired to outputs, and they take them from the applied state. Drift alone does not count: where
 * it matters, the engine plans a change against it; a refresh-only plan is judged by `drift` instead.
 */
export function readPlan(document: unknown, limit = 200): PlanReport {
  const plan = planDocumentOf(document);
  const touched = gravestFirst((plan.resource_changes ?? []).filter(isTouched));
  const outputs = Object.entries(plan.output_changes ?? {}).filter(
    ([, { actions }]) => actionOf(actions) !== "Unchanged",
  );
  const drifted = (plan.resource_drift ?? []).filter(isDrift);
  return {
    summary: summarise(touched, outputs.length),
    isEmpty: touched.length === 0 && outputs.length === 0,
    resources: bounded(touched, limit, plannedResource),
    changes: listChanges(touched),
    driftOnly: outputs.length === 0 && onlyUndoesDrift(touched, drifted),
    drift: bounded(drifted, limit, driftEntry),
    outputs: bounded(outputs, limit, ([name, output]) => ({
      name,
      action: actionOf(output.actions),
      sensitive: output.before_sensitive === true || output.after_sensitive === true,
    })),
    ...(plan.terraform_version === undefined ? {} : { engineVersion: plan.terraform_version }),
  };
}

function summarise(touched: readonly ResourceChange[], outputs: number): PlanSummary {
  const counts = { Create: 0, Update: 0, Replace: 0, Delete: 0, Forget: 0, Read: 0, Unchanged: 0 };
  for (const { change } of touched) counts[actionOf(change.actions)]++;
  return {
    create: counts.Create,
    update: counts.Update,
    replace: counts.Replace,
    delete: counts.Delete,
    forget: counts.Forget,
    read: counts.Read,
    import: touched.filter(isImported).length,
    move: touched.filter(isMoved).length,
    outputs,
  };
}

function plannedResource(resource: ResourceChange): PlannedResource {
  const { address, type, deposed, previous_address, action_reason, change } = resource;
  const action = actionOf(change.actions);
  return {
    address: deposed === undefined ? address : `${address} (deposed ${deposed})`,
    type,
    action,
    ...(action === "Update" || action === "Replace" ? changedIn(change) : { changed: [] }),
    replacedBy: [...new Set((change.replace_paths ?? []).map(([first]) => String(first)))].sort(),
    ...(action_reason === undefined ? {} : { reason: action_reason }),
    ...(isMoved(resource) && previous_address !== undefined ? { movedFrom: previous_address } : {}),
    ...(isImported(resource) ? { imported: true } : {}),
  };
}

function driftEntry({ address, type, change }: ResourceChange): DriftEntry {
  const gone = actionOf(change.actions) === "Delete";
  return { address, type, action: gone ? "Gone" : "Changed", ...(gone ? { changed: [] } : changedIn(change)) };
}

function changedIn(change: Change): Pick<PlannedResource, "changed" | "paths"> {
  const changed = changedAttributes(change);
  const nested = changed
    .map((name) => [name, changedPathsIn(change, name)] as const)
    .filter(([name, paths]) => paths.some((path) => path !== name));
  return nested.length === 0 ? { changed } : { changed, paths: new Map(nested) };
}

function bounded<S, T>(all: readonly S[], limit: number, map: (one: S) => T): Bounded<T> {
  return { items: all.slice(0, limit).map(map), total: all.length, truncated: all.length > limit };
}
