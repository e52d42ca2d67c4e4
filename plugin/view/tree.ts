/** A component and where it hangs. */
export interface Branch {
  readonly name: string;
  /** What is drawn before the name. */
  readonly lead: string;
  /** Further components that it needs, besides the one that it hangs under. */
  readonly also: readonly string[];
}

interface Node {
  readonly name: string;
  readonly needs: readonly string[];
}

/**
 * A graph drawn as a tree: each component hangs under the one that it must wait for longest, the deepest of those it needs. Where components
 * need each other in a circle, the first one declared is the top.
 */
export function treeOf(nodes: readonly Node[]): readonly Branch[] {
  const depths = depthsOf(nodes);
  const children = new Map<string | undefined, Node[]>();
  for (const node of nodes) {
    const parent = parentOf(node, depths);
    children.set(parent, [...(children.get(parent) ?? []), node]);
  }
  const branches: Branch[] = [];
  const drawn = new Set<string>();
  const draw = (node: Node, lead: string, indent: string, parent: string | undefined): void => {
    if (drawn.has(node.name)) return;
    drawn.add(node.name);
    branches.push({ name: node.name, lead, also: node.needs.filter((name) => name !== parent) });
    const below = children.get(node.name) ?? [];
    for (const [index, child] of below.entries()) {
      const last = index === below.length - 1;
      draw(child, `${indent}${last ? "└─ " : "├─ "}`, `${indent}${last ? "   " : "│  "}`, node.name);
    }
  };
  for (const node of children.get(undefined) ?? []) draw(node, "", "", undefined);
  // On a circle, or behind one.
  for (const node of nodes) draw(node, "", "", undefined);
  return branches;
}

function parentOf({ needs }: Node, depths: ReadonlyMap<string, number>): string | undefined {
  return needs.toSorted((a, b) => (depths.get(b) ?? 0) - (depths.get(a) ?? 0))[0];
}

/** The longest way down to each: 0 needs nothing. A circle counts as nothing. */
export function depthsOf(nodes: readonly Node[]): ReadonlyMap<string, number> {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const depths = new Map<string, number>();
  const depth = (name: string, above: readonly string[]): number => {
    const known = depths.get(name);
    if (known !== undefined) return known;
    const needs = (byName.get(name)?.needs ?? []).filter((needed) => byName.has(needed) && !above.includes(needed));
    const own = needs.length === 0 ? 0 : 1 + Math.max(...needs.map((needed) => depth(needed, [...above, name])));
    depths.set(name, own);
    return own;
  };
  for (const { name } of nodes) depth(name, [name]);
  return depths;
}
