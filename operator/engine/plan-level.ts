/** One place in a planned change, seen from all sides: what was, what will be, what is not known yet, what is hidden. */
import { isDeepStrictEqual } from "node:util";
import { type Change, fields, hasTrue } from "./plan-document.ts";

export interface Level {
  readonly old: unknown;
  readonly now: unknown;
  /** `true`, or an object or list that has `true` where something is known after the apply only. */
  readonly unknown: unknown;
  /** The same for what was sensitive, and for what will be. */
  readonly oldMark: unknown;
  readonly newMark: unknown;
}

export function topLevel(change: Change): Level {
  const { before, after, after_unknown, before_sensitive, after_sensitive } = change;
  return {
    old: before ?? null,
    now: after ?? null,
    unknown: after_unknown,
    oldMark: before_sensitive,
    newMark: after_sensitive,
  };
}

/** The place inside, by name of an attribute or position in a list. */
export function inside(level: Level, key: string | number): Level {
  const at = (value: unknown): unknown => (Array.isArray(value) ? value[Number(key)] : fields(value)[key]);
  return {
    old: at(level.old) ?? null,
    now: at(level.now) ?? null,
    unknown: at(level.unknown),
    oldMark: level.oldMark === true ? true : at(level.oldMark),
    newMark: level.newMark === true ? true : at(level.newMark),
  };
}

/** Names of what is inside, on any side. */
export function namesIn({ old, now, unknown }: Level): readonly string[] {
  return [...new Set([old, now, unknown].flatMap((side) => Object.keys(fields(side))))];
}

export function isSame({ old, now, unknown, oldMark, newMark }: Level): boolean {
  return !hasTrue(unknown) && isDeepStrictEqual(old, now) && hasTrue(oldMark) === hasTrue(newMark);
}

export const isHidden = ({ oldMark, newMark }: Level): boolean => oldMark === true || newMark === true;
