/** The JSON of a plan (`show -json`) becomes what people and rules need to know. No value of an attribute leaves here. */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";

const change = z.object({
  actions: z.array(z.string()),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
  after_unknown: z.unknown().optional(),
  before_sensitive: z.unknown().optional(),
  after_sensitive: z.unknown().optional(),
  replace_paths: z.array(z.array(z.union([z.string(), z.number()]))).optional(),
  importing: z.unknown().optional(),
});

const resourceChange = z.object({
  address: z.string(),
  previous_address: z.string().optional(),
  mode: z.string().optional(),
  type: z.string(),
  deposed: z.string().optional(),
  action_reason: z.string().optional(),
  change,
});

const planDocument = z.object({
  format_version: z.string().regex(/^[01]\./),
  terraform_version: z.string().optional(),
  errored: z.boolean().optional(),
  resource_changes: z.array(resourceChange).nullish(),
  resource_drift: z.array(resourceChange).nullish(),
  output_changes: z.record(z.string(), change).nullish(),
});

type ResourceChange = z.infer<typeof resourceChange>;

export type PlanAction = "Create" | "Update" | "Replace" | "Delete" | "Forget" | "Read" | "Unchanged";

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

export interface PlannedResource {
  readonly address: string;
  readonly type: string;
  readonly action: PlanAction;
  /** Top-level attributes that differ or are not known yet; names only. */
  readonly changed: readonly string[];
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
  readonly resources: Bounded<PlannedResource>;
  readonly drift: Bounded<DriftEntry>;
  readonly outputs: Bounded<{ readonly name: string; readonly action: PlanAction; readonly sensitive: boolean }>;
  readonly engineVersion?: string;
}

export class NotAPlan extends Error {
  override readonly name = "NotAPlan";
}

/**
 * A plan is empty when no resource changes, moves or is imported and no output changes. An output-only change counts:
 * other components are wired to outputs, and they take them from the applied state. Drift alone does not count: where
 * it matters, the engine plans a change against it; a refresh-only plan is judged by `drift` instead.
 */
export function readPlan(document: unknown, limit = 200): PlanReport {
  const parsed = planDocument.safeParse(document);
  if (!parsed.success) {
    throw new NotAPlan(`the plan cannot be read at "${parsed.error.issues[0]?.path.join(".") ?? ""}"`);
  }
  const plan = parsed.data;
  if (plan.errored === true) throw new NotAPlan("the plan is incomplete, since planning failed");
  const touched = (plan.resource_changes ?? []).filter(isTouched);
  const outputs = Object.entries(plan.output_changes ?? {}).filter(
    ([, { actions }]) => actionOf(actions) !== "Unchanged",
  );
  const drifted = (plan.resource_drift ?? []).filter(isDrift);
  return {
    summary: summarise(touched, outputs.length),
    isEmpty: touched.length === 0 && outputs.length === 0,
    resources: bounded(touched, limit, plannedResource),
    drift: bounded(drifted, limit, driftEntry),
    outputs: bounded(outputs, limit, ([name, output]) => ({
      name,
      action: actionOf(output.actions),
      sensitive: output.before_sensitive === true || output.after_sensitive === true,
    })),
    ...(plan.terraform_version === undefined ? {} : { engineVersion: plan.terraform_version }),
  };
}

/** An action that this version does not know counts as an update: never as nothing. */
function actionOf(actions: readonly string[]): PlanAction {
  const has = (action: string) => actions.includes(action);
  if (actions.length === 0 || has("no-op")) return "Unchanged";
  if (has("create") && (has("delete") || has("forget"))) return "Replace";
  if (has("create")) return "Create";
  if (has("delete")) return "Delete";
  if (has("forget")) return "Forget";
  if (has("read")) return "Read";
  return "Update";
}

function isMoved({ address, previous_address }: ResourceChange): boolean {
  return previous_address !== undefined && previous_address !== address;
}

function isImported({ change }: ResourceChange): boolean {
  return change.importing !== undefined && change.importing !== null;
}

function isTouched(resource: ResourceChange): boolean {
  return actionOf(resource.change.actions) !== "Unchanged" || isMoved(resource) || isImported(resource);
}

/** The engine lists a moved resource as drift, too, although nothing differs in the world. */
function isDrift(resource: ResourceChange): boolean {
  return actionOf(resource.change.actions) !== "Unchanged";
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
    changed: action === "Update" || action === "Replace" ? changedAttributes(change) : [],
    replacedBy: [...new Set((change.replace_paths ?? []).map(([first]) => String(first)))].sort(),
    ...(action_reason === undefined ? {} : { reason: action_reason }),
    ...(isMoved(resource) && previous_address !== undefined ? { movedFrom: previous_address } : {}),
    ...(isImported(resource) ? { imported: true } : {}),
  };
}

function driftEntry({ address, type, change }: ResourceChange): DriftEntry {
  const gone = actionOf(change.actions) === "Delete";
  return { address, type, action: gone ? "Gone" : "Changed", changed: gone ? [] : changedAttributes(change) };
}

/** Names of attributes are the provider's; keys further inside may be data, so they stay out. */
function changedAttributes({
  before,
  after,
  after_unknown,
  before_sensitive,
  after_sensitive,
}: ResourceChange["change"]) {
  const [old, now, unknown] = [before, after, after_unknown].map(fields) as [Fields, Fields, Fields];
  const [oldMarks, newMarks] = [fields(before_sensitive), fields(after_sensitive)];
  const names = new Set([...Object.keys(old), ...Object.keys(now), ...Object.keys(unknown)]);
  return [...names]
    .filter((name) => {
      if (hasTrue(unknown[name])) return true;
      return !isDeepStrictEqual(old[name], now[name]) || hasTrue(oldMarks[name]) !== hasTrue(newMarks[name]);
    })
    .sort();
}

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function hasTrue(value: unknown): boolean {
  if (value === true) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasTrue);
}

function bounded<S, T>(all: readonly S[], limit: number, map: (one: S) => T): Bounded<T> {
  return { items: all.slice(0, limit).map(map), total: all.length, truncated: all.length > limit };
}
