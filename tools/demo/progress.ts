/** Follows an Environment with `kubectl --watch` and shows what happens, until it is Ready. */
import { ANNOTATIONS } from "../../operator/api/names.ts";
import type { Kubectl } from "./kubectl.ts";
import { renderTree, renderTroubles, type ShownEnvironment, type ShownProgress } from "./tree.ts";

export interface WatchedEnvironment extends ShownEnvironment {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly generation: number;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly status?: NonNullable<ShownEnvironment["status"]> & {
    readonly observedGeneration: number;
    readonly handledRequest?: string;
    readonly outputs?: readonly { readonly name: string; readonly value?: unknown; readonly sensitive?: boolean }[];
  };
}

export interface Screen {
  show(environment: WatchedEnvironment, progress: ReadonlyMap<string, ShownProgress>): void;
  end(): void;
}

export class NotReady extends Error {
  override readonly name = "NotReady";
}

/** Ready, and about the spec of now, with every component as `commit` has it, which a resolver sees only some time after the push. */
export function isReady({ metadata, status }: WatchedEnvironment, commit: string): boolean {
  const holds = (type: string) =>
    status?.conditions?.some((one) => one.type === type && one.status === "True") === true;
  const isCurrent = status?.observedGeneration === metadata.generation;
  const isOfCommit = status?.components?.every(({ revision }) => revision?.endsWith(`:${commit}`)) === true;
  return isCurrent && isOfCommit && holds("Ready") && !holds("Reconciling");
}

/** Nothing goes on until a person acts: what the status says about the spec of now, after the last request. */
export function isStalled({ metadata, status }: WatchedEnvironment): boolean {
  const requested = metadata.annotations?.[ANNOTATIONS.requestedAt];
  const isCurrent = status?.observedGeneration === metadata.generation;
  const stalled = status?.conditions?.some(({ type, status }) => type === "Stalled" && status === "True") === true;
  return stalled && isCurrent && (requested === undefined || requested === status?.handledRequest);
}

/** Resolves with the Environment when it is Ready and of the commit; rejects with NotReady when it is stalled, or after `limitMs`. */
export async function watchUntilReady(
  kubectl: Kubectl,
  target: { readonly name: string; readonly namespace: string; readonly commit: string },
  screen: Screen,
  limitMs: number,
): Promise<WatchedEnvironment> {
  const started = Date.now();
  const done = new AbortController();
  const limit = setTimeout(() => done.abort(), limitMs);
  const progress = new Map<string, ShownProgress>();
  let latest: WatchedEnvironment | undefined;
  const show = () => {
    if (latest !== undefined) screen.show(latest, progress);
  };
  const onEnvironment = (environment: WatchedEnvironment) => {
    latest = environment;
    show();
    if (isReady(environment, target.commit) || isStalled(environment)) done.abort();
  };
  const onRun = (line: string) => {
    const [run = "", step = "", finished = "", total = "", current = ""] = line.split("\t");
    if (step === "") progress.delete(run);
    else {
      progress.set(run, {
        step,
        ...(total === "" ? {} : { done: Number(finished), total: Number(total) }),
        ...(current === "" ? {} : { current }),
      });
    }
    show();
  };
  try {
    await Promise.all([
      follow(kubectl, onlyEnvironment(target.name), target.namespace, "{@}", done.signal, (line) =>
        onEnvironment(JSON.parse(line) as WatchedEnvironment),
      ),
      follow(kubectl, ["runs.terrarium.dev"], target.namespace, runColumns, done.signal, onRun),
    ]);
  } finally {
    clearTimeout(limit);
    screen.end();
  }
  if (latest !== undefined && isReady(latest, target.commit)) return latest;
  throw new NotReady(complaint(latest, target.name, Date.now() - started));
}

/** Resolves with the Environment as soon as its status says so of the spec of now; rejects with NotReady after `limitMs`. */
export async function watchFor(
  kubectl: Kubectl,
  { name, namespace }: { readonly name: string; readonly namespace: string },
  so: (environment: WatchedEnvironment) => boolean,
  limitMs: number,
): Promise<WatchedEnvironment> {
  const started = Date.now();
  const done = new AbortController();
  const limit = setTimeout(() => done.abort(), limitMs);
  let latest: WatchedEnvironment | undefined;
  const holds = () =>
    latest !== undefined && latest.status?.observedGeneration === latest.metadata.generation && so(latest);
  try {
    await follow(kubectl, onlyEnvironment(name), namespace, "{@}", done.signal, (line) => {
      latest = JSON.parse(line) as WatchedEnvironment;
      if (holds()) done.abort();
    });
  } finally {
    clearTimeout(limit);
  }
  if (latest !== undefined && holds()) return latest;
  throw new NotReady(complaint(latest, name, Date.now() - started));
}

const runColumns = ["name", "step", "done", "total", "current"]
  .map((field) => (field === "name" ? "{.metadata.name}" : `{.status.progress.${field}}`))
  .join('{"\\t"}');

/**
 * As a list of one. Asked for an object by its name, kubectl looks at it first and then drops the first event of its watch, which is how the
 * object is by then: a change between the two would never be told (`watch` in its pkg/cmd/get/get.go, 1.35).
 */
const onlyEnvironment = (name: string) => ["environments.terrarium.dev", `--field-selector=metadata.name=${name}`];

/** The API server ends a watch now and then: it is begun again until `signal`. */
async function follow(
  kubectl: Kubectl,
  what: readonly string[],
  namespace: string,
  template: string,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<void> {
  const output = `jsonpath=${template}{"\\n"}`;
  while (!signal.aborted) {
    const started = Date.now();
    await kubectl.lines(["get", ...what, "--namespace", namespace, "--watch", "--output", output], signal, onLine);
    // A cluster that is away refuses at once: asking it more than once a second helps nobody.
    const pause = Math.max(0, 1000 - (Date.now() - started));
    if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function complaint(environment: WatchedEnvironment | undefined, name: string, waitedMs: number): string {
  const seconds = Math.round(waitedMs / 1000);
  if (environment === undefined) return `${name} could not be read for ${seconds} s`;
  return [`${name} is not Ready after ${seconds} s:`, ...reasons(environment).map((line) => `  ${line}`)].join("\n");
}

/** What the status says against it: of components, of the whole where they are well, and that it is of an older spec. */
function reasons({ metadata, status }: WatchedEnvironment): readonly string[] {
  if (status === undefined) return ["the operator has not seen it"];
  const is = (wanted: string, as: string) =>
    status.conditions?.filter(({ type, status }) => type === wanted && status === as) ?? [];
  const components = status.components?.filter(({ state }) => state !== "Ready") ?? [];
  const told = [
    ...is("Stalled", "True").map(({ message }) => message),
    ...components.map(({ name, state, message }) => `${name}: ${state} ${message ?? ""}`),
  ];
  const whole = [...is("Ready", "False"), ...is("Reconciling", "True")];
  const isOld = status.observedGeneration !== metadata.generation;
  return [
    ...(isOld ? [`the operator has not looked at generation ${metadata.generation}: what it says is older`] : []),
    ...(told.length > 0 ? told : whole.map((one) => `${one.type}=${one.status} ${one.reason}: ${one.message}`)),
  ];
}

/** On a terminal the tree is drawn in place; elsewhere a line is printed for each change of a component. */
export function createScreen(out: NodeJS.WriteStream, now: () => number = Date.now): Screen {
  return out.isTTY ? terminalScreen(out) : plainScreen(out, now);
}

/** Troubles of an Environment, in lines; the first one that is shown tells what was there before. */
function createTroubles(): (environment: ShownEnvironment, width?: number) => readonly string[] {
  let earlier: ReadonlySet<string> | undefined;
  return (environment, width) => {
    earlier ??= new Set(environment.status?.components?.flatMap(({ run }) => run ?? []));
    return renderTroubles(environment, width, earlier);
  };
}

function terminalScreen(out: NodeJS.WriteStream): Screen {
  const troubles = createTroubles();
  let drawn = 0;
  return {
    show(environment, progress) {
      const width = out.columns - 4;
      const lines = [...renderTree(environment, progress, width), ...troubles(environment, width)];
      // What is higher than the terminal cannot be drawn over.
      lines.length = Math.min(lines.length, out.rows - 1);
      const back = drawn === 0 ? "" : `\x1b[${drawn}A\x1b[0J`;
      out.write(`${back}${lines.map((line) => `  ${line}\n`).join("")}`);
      drawn = lines.length;
    },
    end() {},
  };
}

function plainScreen(out: NodeJS.WriteStream, now: () => number): Screen {
  const started = now();
  const printed = new Map<string, string>();
  const troublesOf = createTroubles();
  let told = "";
  return {
    show(environment) {
      const lines = renderTree(environment);
      for (const component of environment.status?.components ?? []) {
        const line = lines.find((one) => one.includes(` ${component.name} `)) ?? component.name;
        if (printed.get(component.name) === component.state) continue;
        printed.set(component.name, component.state);
        out.write(`  ${`${((now() - started) / 1000).toFixed(1)} s`.padStart(8)}  ${line}\n`);
      }
      const troubles = troublesOf(environment).filter(Boolean).join("\n  ");
      if (troubles !== told && troubles !== "") out.write(`  ${troubles}\n`);
      told = troubles;
    },
    end() {},
  };
}
