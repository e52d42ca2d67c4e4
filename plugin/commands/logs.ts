import { isClosed, type Run } from "../../operator/api/run.ts";
import { ApiError, isNotFound } from "../../operator/cluster/errors.ts";
import type { Stored } from "../../operator/cluster/ports.ts";
import { UsageError } from "../arguments.ts";
import type { Cluster } from "../cluster.ts";
import { COMPONENT, type Command, type Context, untilUnheard } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { passes } from "../following.ts";
import { harmlessLine } from "../harmless.ts";
import { findRun, mustKnowComponent, NotFound, readEnvironment, readRun, readRuns, withoutChecks } from "../lookup.ts";
import { type ResumedLog, resumedLog } from "../resumed-log.ts";

/** The agent prints everything, scrubbed of secret values. */
const CONTAINER = "agent";
const PAUSE_MS = 1000;

interface Wanted {
  readonly follow: boolean;
  readonly tailLines?: number;
}

export const logs: Command = {
  name: "logs",
  summary: "what the engine printed, scrubbed of secret values",
  arguments: [{ name: "ENV|RUN", offers: "environment-or-run" }],
  options: [
    COMPONENT,
    { name: "follow", short: "f", about: "go on until the Run ends" },
    { name: "tail", value: "LINES", about: "only so many of the last lines" },
  ],
  details: [
    "Of an environment: the Runs that are under way, otherwise the newest one. Several at once are told apart by their component.",
    "A Check, which looks for drift, is left out there: name it.",
  ],
  async run(context, said) {
    const cluster = await context.cluster();
    const wanted = { follow: said.has("follow"), ...tailOf(said.value("tail")) };
    const runs = await runsFor(cluster, said.argument(0), said.values("component"));
    const prefixed = runs.length > 1;
    const interrupted = sayOnce(
      context,
      "The log cannot be read just now: it goes on as soon as the API server answers.",
    );
    const told = runs.map(async (run) => {
      const prefix = prefixed ? `${run.spec.component} | ` : "";
      const print = (line: string) => context.terminal.print(prefix + line);
      return tellRun(context, cluster, run, { wanted, print, interrupted });
    });
    const found = await Promise.all(told);
    if (!found.includes(true)) throw new NotFound(noLog(cluster, runs));
    return EXIT.done;
  },
};

function sayOnce({ terminal }: Context, sentence: string): () => void {
  let said = false;
  return () => {
    if (!said) terminal.tell(sentence);
    said = true;
  };
}

function tailOf(text: string | undefined): { readonly tailLines?: number } {
  if (text === undefined) return {};
  if (!/^\d+$/.test(text)) throw new UsageError(`--tail is a number of lines, not "${text}"`);
  return { tailLines: Number(text) };
}

/** A Run of that name; otherwise of the Environment what is under way, or else its newest Run. */
async function runsFor(cluster: Cluster, name: string, components: readonly string[]): Promise<readonly Stored<Run>[]> {
  const named = await findRun(cluster, name);
  if (named !== undefined) return [named];
  const environment = await readEnvironment(cluster, name);
  for (const component of components) mustKnowComponent(environment, component);
  const all = await readRuns(cluster, environment);
  const wanted = all.filter(({ spec }) => components.length === 0 || components.includes(spec.component));
  const runs = withoutChecks(wanted);
  const open = runs.filter((run) => !isClosed(run));
  const chosen = open.length > 0 ? open : runs.slice(0, 1);
  if (chosen.length > 0) return chosen;
  const what = wanted.length === 0 ? "no Runs yet" : "no Runs but Checks";
  throw new NotFound(`${name} has ${what}${components.length === 0 ? "" : " of that component"}.`);
}

interface Telling {
  readonly wanted: Wanted;
  print(line: string): void;
  /** There is more, and it cannot be had now. */
  interrupted(): void;
}

/** The logs of its pods, one after the other. True when there was one. */
async function tellRun(context: Context, cluster: Cluster, run: Stored<Run>, telling: Telling): Promise<boolean> {
  const signal = untilUnheard(context);
  const { wanted } = telling;
  const opened = new Map<string, ResumedLog>();
  const ends = new Map<string, End>();
  let found = false;
  let now = run;
  for (;;) {
    for (const { name } of now.status?.pods ?? []) {
      if (ends.get(name) === "gone") continue;
      const log = opened.get(name) ?? resumedLog(cluster, name, { container: CONTAINER, ...wanted });
      opened.set(name, log);
      const end = await tellPod(log, signal, telling);
      ends.set(name, end);
      found ||= end === "told";
    }
    const over = isClosed(now) && ![...ends.values()].includes("interrupted");
    if (!wanted.follow || over || signal.aborted) return found;
    await context.clock.sleep(PAUSE_MS, signal);
    now = await newest(cluster, now, telling);
  }
}

type End = "told" | "gone" | "not yet" | "interrupted";

/** As far as the stream goes: it ends with the container, which may be started again. */
async function tellPod(log: ResumedLog, signal: AbortSignal, telling: Telling): Promise<End> {
  try {
    for await (const line of log(signal)) telling.print(harmlessLine(line));
    return "told";
  } catch (error) {
    if (isNotFound(error)) return "gone";
    // The container has not started.
    if (error instanceof ApiError && error.status === 400) return "not yet";
    if (!telling.wanted.follow || !passes(error)) throw error;
    telling.interrupted();
    return "interrupted";
  }
}

async function newest(cluster: Cluster, run: Stored<Run>, telling: Telling): Promise<Stored<Run>> {
  try {
    return await readRun(cluster, run.metadata.name);
  } catch (error) {
    if (!passes(error)) throw error;
    telling.interrupted();
    return run;
  }
}

function noLog({ namespace }: Cluster, runs: readonly Stored<Run>[]): string {
  const [run] = runs;
  if (run === undefined) return "There is no log.";
  const { name } = run.metadata;
  if (!isClosed(run))
    return `The pod of ${name} has not begun to speak: kubectl terrarium logs ${name} -n ${namespace} -f waits for it`;
  const outcome = run.status?.outcome;
  const ended = outcome === undefined ? "" : ` It ended as ${outcome.result}: ${outcome.message}`;
  return `The pod of ${name} is gone, and its log with it: only the newest Run of a component keeps its pod.${ended}`;
}
