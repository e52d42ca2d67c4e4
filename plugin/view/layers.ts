import { depthsOf } from "./tree.ts";

interface Node {
  readonly name: string;
  readonly needs: readonly string[];
}

/**
 * Components by the longest way down to them: what needs nothing comes first. Within a layer they stand near what they need, so that few
 * lines cross.
 */
export function layersOf<T extends Node>(nodes: readonly T[]): readonly (readonly T[])[] {
  const depths = depthsOf(nodes);
  const layers: T[][] = [];
  for (const node of nodes) {
    const depth = depths.get(node.name) ?? 0;
    while (layers.length <= depth) layers.push([]);
    layers[depth]?.push(node);
  }
  const places = new Map<string, number>();
  return layers.map((layer) => {
    const ordered = layer
      .map((node, index) => ({ node, weight: meanPlace(node, places) ?? index }))
      .toSorted((a, b) => a.weight - b.weight)
      .map(({ node }) => node);
    for (const [index, { name }] of ordered.entries()) places.set(name, index - (ordered.length - 1) / 2);
    return ordered;
  });
}

function meanPlace({ needs }: Node, places: ReadonlyMap<string, number>): number | undefined {
  const known = needs.map((name) => places.get(name)).filter((place) => place !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, place) => sum + place, 0) / known.length;
}
