/** The whole list of a plan's changes, for rules: what is touched, how, and in which attributes. Never a value. */
import { agrees, changedPaths } from "./plan-attributes.ts";
import { actionOf, fields, isImported, isMoved, type PlanAction, type ResourceChange } from "./plan-document.ts";

export type ChangeAction = "create" | "update" | "replace" | "delete" | "forget" | "move" | "import";

export interface PlanChange {
  readonly address: string;
  /** The address that it has had until now, where a `moved` block gives it another. */
  readonly previousAddress?: string;
  readonly type: string;
  readonly action: ChangeAction;
  /** Paths as in `instance_type` or `tags.Owner`; see `changedPaths`. */
  readonly attributes: readonly string[];
  /** There are more attributes than are listed. */
  readonly attributesTruncated?: boolean;
}

export interface ListedChanges {
  readonly items: readonly PlanChange[];
  readonly total: number;
  /** Changes are missing, or attributes of one are. */
  readonly truncated: boolean;
}

export const MOST_CHANGES = 20_000;
export const MOST_ATTRIBUTES = 64;
/** Of an address that an agent tells: one that is as long may have been longer. */
export const LONGEST_ADDRESS = 1024;
export const isCut = (address: string): boolean => address.length >= LONGEST_ADDRESS;

/** What is hardest to undo comes first, so that it is the last to be cut off. */
const GRAVITY: readonly ChangeAction[] = ["delete", "replace", "forget", "update", "create", "import", "move"];

/**
 * Every resource that a plan touches, those first that it destroys. What is only read is left out: it changes nothing. A
 * deposed object, which an earlier replacement left over, has the address of its resource.
 */
export function listChanges(touched: readonly ResourceChange[], most = MOST_CHANGES): ListedChanges {
  const changes = touched.flatMap((resource) => {
    const action = changeAction(resource);
    return action === undefined ? [] : [{ resource, action }];
  });
  const sorted = GRAVITY.flatMap((gravity) => changes.filter(({ action }) => action === gravity));
  const items = sorted.slice(0, most).map(({ resource, action }) => planChange(resource, action));
  const truncated = sorted.length > most || items.some(({ attributesTruncated }) => attributesTruncated);
  return { items, total: sorted.length, truncated };
}

const CHANGE_ACTIONS: Readonly<Record<PlanAction, ChangeAction | undefined>> = {
  Create: "create",
  Update: "update",
  Replace: "replace",
  Delete: "delete",
  Forget: "forget",
  Read: undefined,
  Unchanged: undefined,
};

function changeAction(resource: ResourceChange): ChangeAction | undefined {
  const action = actionOf(resource.change.actions);
  if (action !== "Unchanged") return CHANGE_ACTIONS[action];
  if (isImported(resource)) return "import";
  return isMoved(resource) ? "move" : undefined;
}

/** 0 for what is hardest to undo; what changes nothing comes last. */
export function gravityOf(resource: ResourceChange): number {
  const action = changeAction(resource);
  return action === undefined ? GRAVITY.length : GRAVITY.indexOf(action);
}

/** What weighs the same stays in the engine's order. */
export function gravestFirst(touched: readonly ResourceChange[]): readonly ResourceChange[] {
  return touched.toSorted((a, b) => gravityOf(a) - gravityOf(b));
}

function planChange(resource: ResourceChange, action: ChangeAction): PlanChange {
  const { address, previous_address, type, change } = resource;
  const attributes = changedPaths(change);
  return {
    address,
    ...(isMoved(resource) && previous_address !== undefined ? { previousAddress: previous_address } : {}),
    type,
    action,
    attributes: attributes.slice(0, MOST_ATTRIBUTES),
    ...(attributes.length > MOST_ATTRIBUTES ? { attributesTruncated: true } : {}),
  };
}

/**
 * True where each change answers a drift of the same resource and leads back to what was there before it: whatever else the
 * plan did would have another cause. A plan that changes nothing undoes nothing.
 */
export function onlyUndoesDrift(touched: readonly ResourceChange[], drifted: readonly ResourceChange[]): boolean {
  const changes = touched.filter(({ change }) => actionOf(change.actions) !== "Read");
  const drifts = new Map(drifted.filter(({ deposed }) => deposed === undefined).map((drift) => [drift.address, drift]));
  return changes.length > 0 && changes.every((resource) => undoes(resource, drifts.get(resource.address)));
}

function undoes(resource: ResourceChange, drift: ResourceChange | undefined): boolean {
  if (drift === undefined || resource.deposed !== undefined || isMoved(resource) || isImported(resource)) return false;
  const gone = actionOf(drift.change.actions) === "Delete";
  const action = actionOf(resource.change.actions);
  const answers = gone ? action === "Create" : action === "Update" || action === "Replace";
  const { after, after_unknown } = resource.change;
  return answers && agrees(fields(after), fields(after_unknown), fields(drift.change.before));
}
