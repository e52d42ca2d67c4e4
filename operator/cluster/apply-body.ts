/**
 * The body of a server-side apply. The API server reads it as YAML, and not all JSON is YAML: control characters beyond ASCII and marks of byte
 * order are refused (YAML 1.2, `c-printable`), line ends of Unicode are folded into spaces, and an escape of half a surrogate pair is refused,
 * too. Such characters come with the messages of providers and with what people write, and a status that has one could never be written. So they
 * are sent as escapes; half a pair is no character, and becomes U+FFFD as it does in JSON.
 */
export function applyBody(object: unknown): string {
  return JSON.stringify(object, (_, value: unknown) =>
    typeof value === "string" ? value.toWellFormed() : value,
  ).replace(NOT_IN_YAML, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const NOT_IN_YAML = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;
