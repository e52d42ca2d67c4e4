/** The JSON of a plan (`show -json`), as far as Terrarium reads it: the engines' own format, version 0 or 1. */
import { z } from "zod";
import { parseExactly } from "./exact-integers.ts";

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

export const planDocument = z.object({
  format_version: z.string().regex(/^[01]\./),
  terraform_version: z.string().optional(),
  errored: z.boolean().optional(),
  resource_changes: z.array(resourceChange).nullish(),
  resource_drift: z.array(resourceChange).nullish(),
  output_changes: z.record(z.string(), change).nullish(),
  variables: z.record(z.string(), z.object({ value: z.unknown().optional() })).nullish(),
  configuration: z
    .object({
      root_module: z
        .object({ variables: z.record(z.string(), z.object({ sensitive: z.boolean().optional() })).nullish() })
        .nullish(),
    })
    .nullish(),
});

export type Change = z.infer<typeof change>;
export type ResourceChange = z.infer<typeof resourceChange>;
export type PlanDocument = z.infer<typeof planDocument>;

export type PlanAction = "Create" | "Update" | "Replace" | "Delete" | "Forget" | "Read" | "Unchanged";

export class NotAPlan extends Error {
  override readonly name = "NotAPlan";
}

/** Whole numbers in it are bigints where a number would round them. Throws SyntaxError. */
export const parsePlanText = (text: string): unknown => parseExactly(text, BigInt);

/** Parses at the border. Throws NotAPlan. */
export function planDocumentOf(document: unknown): PlanDocument {
  const parsed = planDocument.safeParse(document);
  if (!parsed.success) {
    throw new NotAPlan(`the plan cannot be read at "${parsed.error.issues[0]?.path.join(".") ?? ""}"`);
  }
  if (parsed.data.errored === true) throw new NotAPlan("the plan is incomplete, since planning failed");
  return parsed.data;
}

/** An action that this version does not know counts as an update: never as nothing. */
export function actionOf(actions: readonly string[]): PlanAction {
  const has = (action: string) => actions.includes(action);
  if (actions.length === 0 || has("no-op")) return "Unchanged";
  if (has("create") && (has("delete") || has("forget"))) return "Replace";
  if (has("create")) return "Create";
  if (has("delete")) return "Delete";
  if (has("forget")) return "Forget";
  if (has("read")) return "Read";
  return "Update";
}

export function isMoved({ address, previous_address }: ResourceChange): boolean {
  return previous_address !== undefined && previous_address !== address;
}

export function isImported({ change }: ResourceChange): boolean {
  return change.importing !== undefined && change.importing !== null;
}

export function isTouched(resource: ResourceChange): boolean {
  return actionOf(resource.change.actions) !== "Unchanged" || isMoved(resource) || isImported(resource);
}

/** The engine lists a moved resource as drift, too, although nothing differs in the world. */
export function isDrift(resource: ResourceChange): boolean {
  return actionOf(resource.change.actions) !== "Unchanged";
}

export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function fields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

export const isNumber = (value: unknown): boolean => typeof value === "number" || typeof value === "bigint";

export function hasTrue(value: unknown): boolean {
  if (value === true) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasTrue);
}
