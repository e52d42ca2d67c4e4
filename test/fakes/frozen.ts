/** A copy as it would have come over a wire, without what is undefined, that nobody can change. What is frozen already is shared. */
export function frozenCopy<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy)) as T;
  const kept = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.freeze(Object.fromEntries(kept.map(([name, inner]) => [name, frozenCopy(inner)]))) as T;
}
