/** Which attributes of a resource a planned change touches: names and paths, never values. */
import { isDeepStrictEqual } from "node:util";
import { type Change, type Fields, fields, hasTrue, isFields } from "./plan-document.ts";
import { inside, isHidden, isSame, type Level, namesIn, topLevel } from "./plan-level.ts";

/** Deeper than this, a path says no more about what changes. */
const DEEPEST = 6;

/** Names of attributes are the provider's; keys further inside may be data, so they stay out. */
export function changedAttributes({
  before,
  after,
  after_unknown,
  before_sensitive,
  after_sensitive,
}: Change): readonly string[] {
  const [old, now, unknown] = [before, after, after_unknown].map(fields) as [Fields, Fields, Fields];
  const [oldMarks, newMarks] = [fields(before_sensitive), fields(after_sensitive)];
  const names = new Set([...Object.keys(old), ...Object.keys(now), ...Object.keys(unknown)]);
  return [...names]
    .filter((name) => {
      if (hasTrue(unknown[name])) return true;
      return !isDeepStrictEqual(old[name], now[name]) || hasTrue(oldMarks[name]) !== hasTrue(newMarks[name]);
    })
    .sort();
}

/**
 * The same, down into objects and maps, as in `tags.Owner`: rules tell a changed tag from a changed size. Lists are named as a
 * whole, and so is what the provider or the module marks as sensitive. Of what is created or destroyed, every attribute that
 * has a value counts as changed.
 */
export function changedPaths(change: Change): readonly string[] {
  return pathsIn(topLevel(change), "", 1).sort();
}

/** The paths of what changes in one attribute; its name alone where they do not tell more. */
export function changedPathsIn(change: Change, attribute: string): readonly string[] {
  return pathsOf(inside(topLevel(change), attribute), attribute, 1).sort();
}

function pathsIn(level: Level, prefix: string, depth: number): string[] {
  return namesIn(level).flatMap((name) => {
    const part = inside(level, name);
    return isSame(part) ? [] : pathsOf(part, `${prefix}${name}`, depth);
  });
}

function pathsOf(level: Level, path: string, depth: number): string[] {
  const { old, now, unknown } = level;
  const opaque = unknown === true || isHidden(level);
  if (opaque || depth === DEEPEST || !isFields(old) || !isFields(now)) return [path];
  const deeper = pathsIn(level, `${path}.`, depth + 1);
  return deeper.length === 0 ? [path] : deeper;
}

/**
 * Whether what will be is what another place says, attribute by attribute. One that is wholly unknown is computed by the
 * provider and says nothing; one that is known in part could hide a difference, so it counts as one.
 */
export function agrees(value: Fields, unknown: Fields, other: Fields): boolean {
  const names = new Set([...Object.keys(value), ...Object.keys(other)]);
  return [...names].every((name) => {
    if (unknown[name] === true) return true;
    return !hasTrue(unknown[name]) && isDeepStrictEqual(value[name] ?? null, other[name] ?? null);
  });
}
