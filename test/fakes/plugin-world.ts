import type { Environment } from "../../operator/api/environment.ts";
import { LABELS } from "../../operator/api/names.ts";
import type { Run } from "../../operator/api/run.ts";
import { ApiError, ApiUnreachable } from "../../operator/cluster/errors.ts";
import type { PodLog } from "../../operator/cluster/pod-log.ts";
import type { KubeObject, Resource, Stored, WatchEvent, WatchOptions } from "../../operator/cluster/ports.ts";
import { ENVIRONMENTS, RUNS } from "../../operator/cluster/resources.ts";
import type { OwnQuestion } from "../../operator/cluster/self.ts";
import type { Cluster, ClusterOptions } from "../../plugin/cluster.ts";
import type { ExitCode } from "../../plugin/exit-codes.ts";
import { runProgram } from "../../plugin/program.ts";
import type { Terminal } from "../../plugin/terminal.ts";
import { type FakeClient, fakeKubeClient } from "./kube-client.ts";
import { T0 } from "./objects.ts";

export interface PluginWorldOptions {
  readonly environments?: readonly Environment[];
  readonly runs?: readonly Run[];
  readonly user?: string;
  readonly may?: (question: OwnQuestion) => boolean;
  /** Pod → what it printed. Of pods that are not here nothing is left. */
  readonly logs?: Readonly<Record<string, readonly string[]>>;
  /** Instead of those: what the kubelet answers. */
  readonly podLog?: PodLog;
  /** What a person types; nobody is there when it is absent. */
  readonly answers?: readonly string[];
  readonly stdin?: string;
  /** Answers of what is asked for by its path; the path is `METHOD PATH?QUERY`. */
  readonly raw?: (request: string, text: string | undefined) => string;
  readonly kinds?: readonly string[];
  readonly version?: string;
  /** stdout is a terminal. */
  readonly redraws?: boolean;
  /** Minutes after the start of the fakes' time. */
  readonly minutes?: number;
}

export interface Spoken {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

/** The plugin in a world of memory: what it prints, asks and writes. */
export function pluginWorld(options: PluginWorldOptions = {}) {
  let passedMs = 0;
  let timers: readonly { readonly atMs: number; readonly callback: () => void }[] = [];
  const line = { silent: false };
  const now = () => new Date(T0 + (options.minutes ?? 0) * 60_000 + passedMs);
  const client = fakeKubeClient(now);
  for (const environment of options.environments ?? []) client.seed(ENVIRONMENTS, environment);
  for (const run of options.runs ?? []) client.seed(RUNS, labelled(run));
  const stopping = new AbortController();
  const leaving = new AbortController();
  const opened: ClusterOptions[] = [];
  const clock = {
    now,
    monotonicMs: () => passedMs,
    sleep: () => new Promise<void>((resolve) => setImmediate(resolve)),
    setTimer(ms: number, callback: () => void) {
      const timer = { atMs: passedMs + ms, callback };
      timers = [...timers, timer];
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
  };
  return {
    client,
    opened,
    stop: () => stopping.abort(),
    pass(ms: number): void {
      passedMs += ms;
      const due = timers.filter(({ atMs }) => atMs <= passedMs);
      timers = timers.filter(({ atMs }) => atMs > passedMs);
      for (const { callback } of due) callback();
    },
    /** The API server answers nobody any more, or again. */
    silence(silent: boolean): void {
      line.silent = silent;
    },
    /** Nobody reads any more what is printed. */
    leave: () => leaving.abort(),
    /** One call of the program. */
    async call(...args: readonly string[]): Promise<Spoken> {
      const { terminal, heard } = fakeTerminal(options, leaving.signal);
      const open = async (chosen: ClusterOptions) => {
        opened.push(chosen);
        return fakeCluster(client, options, chosen, { now, line });
      };
      const code = await runProgram(args, { terminal, clock, signal: stopping.signal, version: "1.2.3", open });
      return { code, out: heard.out.join("\n"), err: heard.err.join("\n") };
    },
  };
}

/** As the operator makes them. */
function labelled(run: Run): Run {
  const labels = { [LABELS.environment]: run.spec.environment.name, [LABELS.component]: run.spec.component };
  return { ...run, metadata: { ...run.metadata, labels: { ...labels, ...run.metadata.labels } } };
}

function fakeTerminal(options: PluginWorldOptions, unread: AbortSignal) {
  const { answers } = options;
  const heard = { out: [] as string[], err: [] as string[] };
  const left = [...(answers ?? [])];
  const terminal: Terminal = {
    print: (text) => void heard.out.push(text),
    tell: (text) => void heard.err.push(text),
    show: (text) => void heard.out.push(text),
    redraws: options.redraws ?? false,
    write: (content) => void heard.out.push(Buffer.from(content).toString()),
    read: async () => options.stdin ?? "",
    colours: false,
    unread,
    interactive: answers !== undefined,
    async ask(question) {
      heard.err.push(question);
      return left.shift() ?? "";
    },
  };
  return { terminal, heard };
}

function fail(facts: ConstructorParameters<typeof ApiError>[0]): never {
  throw new ApiError(facts);
}

function fakeCluster(
  client: FakeClient,
  options: PluginWorldOptions,
  chosen: ClusterOptions,
  { now, line }: { readonly now: () => Date; readonly line: Line },
): Cluster {
  const rawAnswer = (request: string, text?: string) =>
    options.raw?.(request, text) ??
    fail({ request, status: 404, reason: "NotFound", message: "the server could not find the requested resource" });
  const { user = "jane", may = () => true, logs = {} } = options;
  return {
    context: chosen.context ?? "test",
    server: "https://api.example.com",
    namespace: chosen.namespace ?? "team",
    client: {
      ...client,
      async listAll<T extends KubeObject>(resource: Resource, selection: Parameters<FakeClient["listAll"]>[1]) {
        mustSpeak(line);
        return client.listAll<T>(resource, selection);
      },
      watch: async (resource, options) => modified(client, resource, { ...options, line }),
    },
    self: { whoAmI: async () => user, mayI: async (question) => may(question) },
    facts: {
      version: async () => options.version ?? "v1.35.4",
      resourcesOf: async () => options.kinds ?? ["environments", "runs"],
    },
    podLog: options.podLog ?? printedBy(logs, now),
    raw: {
      read: async (path, options) => Buffer.from(rawAnswer(`GET ${path}${queryOf(options?.query)}`)),
      send: async (method, path, text, options) =>
        JSON.parse(rawAnswer(`${method} ${path}${queryOf(options?.query)}`, text)),
    },
    close: async () => {},
  };
}

function printedBy(logs: Readonly<Record<string, readonly string[]>>, now: () => Date): PodLog {
  return async function* podLog(_, pod, { timestamps }) {
    const request = "get log";
    for (const line of logs[pod] ??
      fail({ request, status: 404, reason: "NotFound", message: `pods "${pod}" not found` }))
      yield timestamps ? `${now().toISOString()} ${line}` : line;
  };
}

function queryOf(query: Readonly<Record<string, unknown>> = {}): string {
  const text = Object.entries(query).map(([name, value]) => `${name}=${value}`);
  return text.length === 0 ? "" : `?${text.join("&")}`;
}

interface Line {
  readonly silent: boolean;
}

function mustSpeak({ silent }: Line): void {
  if (silent) throw new ApiUnreachable("list", "connect ECONNREFUSED");
}

/** Silent until something of this kind is newer. */
async function* modified<T extends KubeObject>(
  client: FakeClient,
  resource: Resource,
  { resourceVersion, signal, line }: WatchOptions & { readonly line: Line },
): AsyncGenerator<WatchEvent<T>> {
  let seen = Number(resourceVersion);
  while (!signal.aborted) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    mustSpeak(line);
    const newer = client.objects(resource).find(({ metadata }) => Number(metadata.resourceVersion) > seen);
    if (newer === undefined) continue;
    seen = Number(newer.metadata.resourceVersion);
    yield { type: "MODIFIED", object: newer as Stored<T> };
  }
}
