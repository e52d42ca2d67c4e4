/** JSON in which integers are longer than a number can tell apart: two that differ would be the same. */

const LONG_INTEGER = /[:[,]\s*-?\d{16}/;

/** `keep` is given the digits of each integer that a number cannot hold. Documents are long, and such integers are rare: without one, the quicker way is as good. */
export function parseExactly(text: string, keep: (digits: string) => unknown): unknown {
  if (!LONG_INTEGER.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, value: unknown, { source }: { readonly source?: string } = {}) => {
    const isRounded = typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(source ?? "");
    return isRounded ? keep(source ?? "") : value;
  });
}
