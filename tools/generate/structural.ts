import { z } from "zod";
import type { CelRule } from "../../operator/api/fields.ts";

/** The part of apiextensions.k8s.io/v1 JSONSchemaProps that Terrarium's schemas need. */
export interface StructuralSchema {
  readonly description?: string;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly items?: StructuralSchema;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly additionalProperties?: StructuralSchema;
  readonly oneOf?: readonly { readonly required: readonly string[] }[];
  readonly "x-kubernetes-list-type"?: string;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: string;
  readonly "x-kubernetes-preserve-unknown-fields"?: true;
  readonly "x-kubernetes-validations"?: readonly CelRule[];
}

type JsonNode = Readonly<Record<string, unknown>>;

/** Keywords that mean the same in JSON Schema and in a CRD, in the order in which people like to read them. */
const KEPT = [
  "description",
  "type",
  "enum",
  "default",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
  "required",
  "oneOf",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-map-type",
] as const;

/** Keywords that are translated below, or say nothing that the API server could check. */
const HANDLED = new Set<string>([
  ...KEPT,
  "$schema",
  "$defs",
  "properties",
  "additionalProperties",
  "propertyNames",
  "items",
  "minimum",
  "maximum",
  "pattern",
  "format",
  "x-kubernetes-validations",
  "refusal",
  "bounds",
]);

/** Translates a zod schema into a structural schema; throws on anything that a CRD cannot say. */
export function structuralSchemaOf(schema: z.ZodType): StructuralSchema {
  const json = z.toJSONSchema(schema, { io: "input", reused: "inline" });
  return translate(json as JsonNode, "");
}

function translate(node: JsonNode, path: string): StructuralSchema {
  // Any JSON: the API server takes it as it is, and neither prunes nor types it.
  if (node["x-kubernetes-preserve-unknown-fields"] === true) {
    return { ...described(node), "x-kubernetes-preserve-unknown-fields": true };
  }
  const unknown = Object.keys(node).filter((keyword) => !HANDLED.has(keyword));
  if (unknown.length > 0) throw new Error(`${path || "the schema"}: a CRD cannot say ${unknown.join(", ")}`);
  const result: Record<string, unknown> = {};
  for (const keyword of KEPT) if (node[keyword] !== undefined) result[keyword] = node[keyword];
  Object.assign(result, numberLimits(node), textLimits(node), children(node, path), validations(node));
  return result;
}

function described(node: JsonNode): { description?: string } {
  return typeof node.description === "string" ? { description: node.description } : {};
}

/** Zod bounds every integer by what JavaScript can hold exactly; only limits that somebody chose are worth printing. */
function numberLimits(node: JsonNode): StructuralSchema {
  if (node.type !== "integer") return {};
  const chosen = (limit: unknown) => typeof limit === "number" && Math.abs(limit) < Number.MAX_SAFE_INTEGER;
  const minimum = chosen(node.minimum) ? { minimum: node.minimum as number } : {};
  const maximum = chosen(node.maximum) ? { maximum: node.maximum as number } : {};
  const small = typeof node.maximum === "number" && node.maximum < 2 ** 31;
  return { format: small ? "int32" : "int64", ...minimum, ...maximum };
}

function textLimits(node: JsonNode): StructuralSchema {
  if (node.type !== "string") return {};
  // The pattern that zod adds to a date-time is narrower than what the API server accepts for that format.
  if (node.format === "date-time") return { format: "date-time" };
  if (node.format !== undefined) throw new Error(`a CRD does not know the format ${String(node.format)}`);
  if (typeof node.pattern !== "string" || node.refusal !== undefined) return {};
  return { pattern: node.pattern };
}

function children(node: JsonNode, path: string): StructuralSchema {
  if (node.type === "array") return { items: translate(node.items as JsonNode, `${path}[]`) };
  if (node.type !== "object") return {};
  if (node.properties === undefined) {
    return { additionalProperties: translate(node.additionalProperties as JsonNode, `${path}{}`) };
  }
  const entries = Object.entries(node.properties as Record<string, JsonNode>);
  return {
    properties: Object.fromEntries(entries.map(([name, child]) => [name, translate(child, `${path}.${name}`)])),
  };
}

/**
 * A pattern that comes with a sentence becomes a CEL rule: the API server prints a failed `pattern` as a regular
 * expression, and a failed rule as the sentence.
 */
function validations(node: JsonNode): StructuralSchema {
  const given = (node["x-kubernetes-validations"] ?? []) as readonly CelRule[];
  const list = [...patternRule(node), ...given];
  return list.length === 0 ? {} : { "x-kubernetes-validations": list };
}

function patternRule(node: JsonNode): readonly CelRule[] {
  if (typeof node.refusal !== "string") return [];
  if (typeof node.pattern !== "string") throw new Error(`the refusal '${node.refusal}' has no pattern`);
  const literal = node.pattern.replaceAll("\\", "\\\\").replaceAll("'", "\\'");
  const bounds = typeof node.bounds === "string" ? ` && ${node.bounds}` : "";
  return [{ rule: `self.matches('${literal}')${bounds}`, message: node.refusal }];
}
