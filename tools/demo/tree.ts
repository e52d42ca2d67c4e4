/** How an Environment looks on a terminal: its components in the order of their dependencies, and how each one stands. */
import { styleText } from "node:util";

/** The parts of an Environment that are shown here. */
export interface ShownEnvironment {
  readonly spec: {
    readonly components: readonly {
      readonly name: string;
      readonly dependsOn?: readonly string[];
      readonly terraform?: {
        readonly variables?: readonly {
          readonly name: string;
          readonly valueFrom?: { readonly output?: { readonly component: string; readonly name: string } };
        }[];
      };
    }[];
  };
  readonly status?: {
    readonly summary?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
    }[];
    readonly components?: readonly ShownComponent[];
  };
}

export interface ShownComponent {
  readonly name: string;
  readonly state: string;
  readonly message?: string;
  /** When the next try begins, in RFC 3339. */
  readonly retryAt?: string;
  readonly run?: string;
  /** Of the source that is applied, as in `main@sha1:…`. */
  readonly revision?: string;
  readonly plan?: {
    readonly create: number;
    readonly update: number;
    readonly replace: number;
    readonly delete: number;
  };
}

export interface ShownProgress {
  readonly step: string;
  readonly done?: number;
  readonly total?: number;
  readonly current?: string;
}

type Color = Parameters<typeof styleText>[0];

const looks: Readonly<Record<string, { readonly mark: string; readonly color: Color }>> = {
  Ready: { mark: "●", color: "green" },
  Planning: { mark: "◐", color: "cyan" },
  Applying: { mark: "◑", color: "cyan" },
  Destroying: { mark: "◑", color: "yellow" },
  Destroyed: { mark: "○", color: "gray" },
  Failed: { mark: "✗", color: "red" },
  Stalled: { mark: "✗", color: "red" },
  Interrupted: { mark: "!", color: "red" },
};
const waiting = { mark: "○", color: "gray" as Color };

/** Component → those that it needs, by name or through an output. */
export function dependencies({ spec }: ShownEnvironment): ReadonlyMap<string, readonly string[]> {
  return new Map(
    spec.components.map(({ name, dependsOn = [], terraform }) => {
      const used = (terraform?.variables ?? []).flatMap(({ valueFrom }) => valueFrom?.output?.component ?? []);
      return [name, [...new Set([...dependsOn, ...used])]];
    }),
  );
}

/** How far each component is from those that need nothing: 0, 1, 2 … A cycle (which the operator reports) ends. */
export function depths(needs: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, number> {
  const known = new Map<string, number>();
  const depth = (name: string, above: readonly string[]): number => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const below = (needs.get(name) ?? []).filter((need) => !above.includes(need));
    const result = below.length === 0 ? 0 : 1 + Math.max(...below.map((need) => depth(need, [...above, name])));
    known.set(name, result);
    return result;
  };
  for (const name of needs.keys()) depth(name, []);
  return known;
}

/** One line for each component, those that need nothing first. */
export function renderTree(
  environment: ShownEnvironment,
  progress: ReadonlyMap<string, ShownProgress> = new Map(),
  width = 100,
): readonly string[] {
  const needs = dependencies(environment);
  const depth = depths(needs);
  const names = [...needs.keys()].sort((a, b) => (depth.get(a) ?? 0) - (depth.get(b) ?? 0));
  const column = Math.max(...names.map((name) => name.length + 2 * (depth.get(name) ?? 0))) + 2;
  return names.map((name) => {
    const component = environment.status?.components?.find((one) => one.name === name) ?? { name, state: "Pending" };
    const { mark, color } = looks[component.state] ?? waiting;
    const title = `${"  ".repeat(depth.get(name) ?? 0)}${mark} ${name}`.padEnd(column + 2);
    const detail = describe(component, progress.get(component.run ?? ""), needs.get(name) ?? []);
    return (
      styleText(color, `${title}${component.state.padEnd(12)}`) + detail.slice(0, Math.max(0, width - column - 16))
    );
  });
}

const NEEDS_ATTENTION = new Set(["Failed", "Stalled", "Interrupted"]);

/**
 * What has gone wrong, as the Environment tells it, and what comes next: a line of the tree has room for the beginning only. `earlier` are Runs
 * from before anybody looked: why they failed may have been mended since.
 */
export function renderTroubles(
  { status }: ShownEnvironment,
  width = 100,
  earlier: ReadonlySet<string> = new Set(),
): readonly string[] {
  const troubled = (status?.components ?? []).filter(({ state }) => NEEDS_ATTENTION.has(state));
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  if (troubled.length === 0 || ready?.status !== "False") return [];
  const [next] = troubled.flatMap(({ retryAt }) => retryAt ?? []).toSorted();
  const whatNext =
    next === undefined ? "Nothing is tried again by itself." : `The next try begins at ${next.slice(11, 19)} UTC.`;
  const isEarlier = troubled.every(({ run }) => run !== undefined && earlier.has(run));
  return [
    "",
    ...wrapped(`${isEarlier ? "The try before this one: " : ""}${oneLine(ready.message)}`, width),
    ...wrapped(
      isEarlier ? whatNext : `${whatNext} Once its cause is mended, end this (Ctrl-C) and run the demo again.`,
      width,
    ),
  ];
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ");

/** A word that is longer than a line goes on in the next one. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((long) => pieces(long, width))) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

const pieces = (word: string, width: number): readonly string[] =>
  Array.from({ length: Math.ceil(word.length / width) }, (_, at) => word.slice(at * width, (at + 1) * width));

function describe(component: ShownComponent, progress: ShownProgress | undefined, needs: readonly string[]): string {
  const busy = component.state === "Planning" || component.state === "Applying" || component.state === "Destroying";
  if (busy && progress !== undefined) {
    const { step, done, total, current } = progress;
    const counted = total === undefined || total === 0 ? step : `${step} ${done ?? 0}/${total}`;
    return current === undefined ? counted : `${counted} · ${current}`;
  }
  if (component.state === "Ready") return describePlan(component.plan);
  if (component.message !== undefined) return oneLine(component.message);
  return needs.length === 0 ? "" : `after ${needs.join(", ")}`;
}

function describePlan(plan: ShownComponent["plan"]): string {
  if (plan === undefined) return "";
  const parts = Object.entries({
    created: plan.create,
    updated: plan.update,
    replaced: plan.replace,
    deleted: plan.delete,
  }).filter(([, count]) => count > 0);
  return parts.length === 0 ? "no changes" : parts.map(([what, count]) => `${count} ${what}`).join(", ");
}
