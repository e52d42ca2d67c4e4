/**
 * Would the API server take both for the same? What is undefined is not sent, and lists that are maps (by `name` or `type`) are merged by key and
 * may well come back in another order.
 */
export function sameOnTheWire(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  // Half a surrogate pair is no character to the API server.
  if (typeof a === "string" && typeof b === "string") return a.toWellFormed() === b.toWellFormed();
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && sameItems(a, b);
  return sameMembers(a as Members, b as Members);
}

type Members = Readonly<Record<string, unknown>>;

function sameMembers(a: Members, b: Members): boolean {
  const sent = (members: Members) => Object.keys(members).filter((name) => members[name] !== undefined);
  const names = sent(a);
  return names.length === sent(b).length && names.every((name) => sameOnTheWire(a[name], b[name]));
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  const [ofA, ofB] = [inOneOrder(a), inOneOrder(b)];
  return ofA.every((item, index) => sameOnTheWire(item, ofB[index]));
}

function inOneOrder(items: readonly unknown[]): readonly unknown[] {
  const isMap = items.every((item) => mapKey(item) !== undefined);
  return isMap ? items.toSorted((one, other) => compare(mapKey(one), mapKey(other))) : items;
}

function mapKey(item: unknown): string | undefined {
  if (typeof item !== "object" || item === null) return undefined;
  const { name, type } = item as { readonly name?: unknown; readonly type?: unknown };
  if (typeof name === "string") return name;
  return typeof type === "string" ? type : undefined;
}

const compare = (a = "", b = ""): number => (a < b ? -1 : Number(a > b));
