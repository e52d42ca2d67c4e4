/**
 * What comes from a cluster was written by many hands: a message, a reason, the key of a resource. Characters that steer a terminal, or turn the
 * direction of writing, could hide from an approver what a plan destroys. They are written out, as `\u{1b}`.
 */
const STEERING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

const writtenOut = (char: string): string => `\\u{${char.codePointAt(0)?.toString(16)}}`;

/** One line. */
export function harmlessLine(text: string): string {
  return text.replace(STEERING, (char) => (char === "\t" ? char : writtenOut(char)));
}

/** Text whose lines may stay. */
export function harmlessText(text: string): string {
  return text.split("\n").map(harmlessLine).join("\n");
}

/** Every string in an object, each of which is shown on a line. */
export function harmless<T>(value: T): T {
  return copied(value) as T;
}

function copied(value: unknown): unknown {
  if (typeof value === "string") return harmlessLine(value);
  if (Array.isArray(value)) return value.map(copied);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [harmlessLine(key), copied(item)]));
}
