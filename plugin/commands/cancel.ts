import { ANNOTATIONS } from "../../operator/api/names.ts";
import { isClosed, type Run } from "../../operator/api/run.ts";
import type { Stored } from "../../operator/cluster/ports.ts";
import { RUNS } from "../../operator/cluster/resources.ts";
import { UsageError } from "../arguments.ts";
import type { Cluster } from "../cluster.ts";
import { COMPONENT, type Command, type Context } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { changes } from "../following.ts";
import { findRun, mustKnowComponent, NotFound, readEnvironment, readRuns, withoutChecks } from "../lookup.ts";
import { NotReady } from "../outcomes.ts";
import { endText, workText } from "../view/runs.ts";
import { annotate } from "./ask.ts";

export const cancel: Command = {
  name: "cancel",
  summary: "end a Run that is under way: the engine is asked to stop, and saves its state",
  arguments: [{ name: "ENV|RUN", offers: "environment-or-run" }],
  options: [COMPONENT, { name: "no-wait", about: "do not wait until the Run has ended" }],
  details: [
    "Annotates the environment with terrarium.dev/cancel. What was done until then stays, and the Run tells it.",
    "Waits until the Run has ended, which an engine may take 15 minutes for, and tells what was done.",
    "Of an environment with several Runs under way, name the component. Exits with 3 when the Run has ended in another way.",
    "A Check, which looks for drift, changes nothing and is left out there: to end one, name it.",
  ],
  async run(context, said) {
    const { terminal } = context;
    const cluster = await context.cluster();
    const run = await openRun(cluster, said.argument(0), said.values("component"));
    const { name } = run.spec.environment;
    if (!(await isHeard(context, cluster, run))) return EXIT.interrupted;
    await annotate(cluster, name, { [ANNOTATIONS.cancel]: run.metadata.name });
    terminal.print(`Asked ${run.metadata.name} (${name}/${run.spec.component}) to stop.`);
    if (!said.has("no-wait")) return untilEnded(context, cluster, run.metadata.name);
    terminal.tell(`What becomes of it: kubectl terrarium runs ${name} -n ${cluster.namespace}`);
    return EXIT.done;
  },
};

/** There is one annotation for all: a wish that the operator has not heard yet would be overwritten, and lost. False: Ctrl-C. */
async function isHeard({ terminal, clock, signal }: Context, cluster: Cluster, run: Run): Promise<boolean> {
  const { name } = run.spec.environment;
  const selection = { namespace: cluster.namespace };
  let told = false;
  for await (const _ of changes(cluster, [{ resource: RUNS, selection }], clock, signal)) {
    const wish = (await readEnvironment(cluster, name)).metadata.annotations?.[ANNOTATIONS.cancel];
    const other = wish === undefined || wish === run.metadata.name ? undefined : await findRun(cluster, wish);
    if (other === undefined || isClosed(other) || other.status?.cancelRequestedAt !== undefined) return true;
    if (!told) terminal.tell(`${wish} was asked to stop before: waiting until the operator has heard of that.`);
    told = true;
  }
  return false;
}

async function untilEnded({ terminal, clock, signal }: Context, cluster: Cluster, name: string): Promise<ExitCode> {
  terminal.tell("Waiting until it has ended. Ctrl-C ends the waiting alone: the Run is asked to stop all the same.");
  const selection = { namespace: cluster.namespace, fieldSelector: `metadata.name=${name}` };
  let last = "";
  for await (const _ of changes(cluster, [{ resource: RUNS, selection }], clock, signal)) {
    const run = await findRun(cluster, name);
    if (run === undefined) throw new NotFound(`The Run ${name} is gone, and its record with it.`);
    if (isClosed(run)) {
      terminal.print(endText(run));
      return run.status?.outcome?.result === "Cancelled" ? EXIT.done : EXIT.waiting;
    }
    const text = workText(run);
    if (text !== last) terminal.tell(text);
    last = text;
  }
  return EXIT.interrupted;
}

async function openRun(cluster: Cluster, name: string, components: readonly string[]): Promise<Stored<Run>> {
  const named = await findRun(cluster, name);
  if (named !== undefined) {
    if (isClosed(named)) throw new NotReady(`The Run ${name} has ended already.`);
    return named;
  }
  const environment = await readEnvironment(cluster, name);
  for (const component of components) mustKnowComponent(environment, component);
  const underWay = (await readRuns(cluster, environment))
    .filter((run) => !isClosed(run))
    .filter(({ spec }) => components.length === 0 || components.includes(spec.component));
  const open = withoutChecks(underWay);
  const [run, ...others] = open;
  const what = components.length === 0 ? name : `${name}/${components.join(` and ${name}/`)}`;
  if (run === undefined) throw new NotReady(nothingOpen(what, underWay));
  if (others.length > 0) {
    const names = open.map(({ spec }) => spec.component).join(", ");
    throw new UsageError(`several Runs of ${name} are under way: choose one with --component (${names})`);
  }
  return run;
}

/** Whoever has seen in `runs` that something is under way hears why it is none of this. */
function nothingOpen(name: string, checks: readonly Stored<Run>[]): string {
  const [check] = checks;
  if (check === undefined) return `No Run of ${name} is under way.`;
  const { name: run, namespace } = check.metadata;
  return `No Run of ${name} that changes anything is under way. To end a Check: kubectl terrarium cancel ${run} -n ${namespace}`;
}
