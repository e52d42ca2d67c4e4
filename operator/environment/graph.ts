import type { Component } from "../api/component.ts";

/** Who needs whom. Every name that appears as a dependency is also a key. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** Components that this one needs: those it names, and those whose outputs it uses. */
export function dependenciesOf(component: Component): ReadonlySet<string> {
  const needed = new Set(component.dependsOn ?? []);
  for (const variable of component.terraform.variables ?? []) {
    const output = variable.valueFrom?.output;
    if (output !== undefined) needed.add(output.component);
  }
  return needed;
}

export function graphOf(nodes: Iterable<readonly [name: string, needs: Iterable<string>]>): Graph {
  const graph = new Map<string, ReadonlySet<string>>();
  for (const [name, needs] of nodes) graph.set(name, new Set(needs));
  for (const needs of [...graph.values()]) {
    for (const name of needs) if (!graph.has(name)) graph.set(name, new Set());
  }
  return graph;
}

/** The graph with every arrow turned round: who is needed by whom, which is the order of destroying. */
export function reversed(graph: Graph): Graph {
  const turned = new Map<string, Set<string>>([...graph.keys()].map((name) => [name, new Set<string>()]));
  for (const [name, needs] of graph) {
    for (const needed of needs) turned.get(needed)?.add(name);
  }
  return turned;
}

export interface Ordering {
  /** Every component after all that it needs; those on a cycle, or behind one, are left out. */
  readonly order: readonly string[];
  /** One cycle as a path that ends where it began, or nothing. */
  readonly cycle: readonly string[] | undefined;
}

/** Orders by dependencies, and by declaration where those leave it open. */
export function orderOf(graph: Graph): Ordering {
  const order: string[] = [];
  const done = new Set<string>();
  const waiting = new Set(graph.keys());
  for (let grew = true; grew; ) {
    grew = false;
    for (const name of waiting) {
      if (![...(graph.get(name) ?? [])].every((needed) => done.has(needed))) continue;
      done.add(name);
      waiting.delete(name);
      order.push(name);
      grew = true;
    }
  }
  return { order, cycle: waiting.size === 0 ? undefined : cycleAmong(waiting, graph) };
}

/** Follows unmet needs until a name comes up again: every name in `stuck` has at least one. */
function cycleAmong(stuck: ReadonlySet<string>, graph: Graph): readonly string[] {
  const path: string[] = [];
  let name = [...stuck][0];
  while (name !== undefined && !path.includes(name)) {
    path.push(name);
    name = [...(graph.get(name) ?? [])].find((needed) => stuck.has(needed));
  }
  if (name === undefined) return path;
  return [...path.slice(path.indexOf(name)), name];
}
