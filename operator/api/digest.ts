import { hash } from "node:crypto";

/** JSON with sorted keys and without undefined members: the same value always gives the same text. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const object = value as Readonly<Record<string, unknown>>;
  const members: string[] = [];
  for (const key of Object.keys(object).sort())
    if (object[key] !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(object[key])}`);
  return `{${members.join(",")}}`;
}

/** `sha256:<hex>` of a JSON value, independent of the order of keys. */
export function digestOf(value: unknown): string {
  return `sha256:${hash("sha256", canonicalJson(value), "hex")}`;
}
