import type { KubeObject } from "../../operator/cluster/ports.ts";

/** Whether a label selector means the object: terms like `key=value` and `key in (one,two)`. */
export function selected({ metadata }: KubeObject, selector: string | undefined): boolean {
  const terms = selector?.match(/[^,(]+\([^)]*\)|[^,]+/g) ?? [];
  return terms.every((term) => {
    const [, key = "", values = ""] = /^(\S+)(?:=| in \()([^)]*)\)?$/.exec(term) ?? [];
    return values.split(",").includes(metadata.labels?.[key] ?? "");
  });
}
