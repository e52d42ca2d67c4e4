import { ANNOTATIONS } from "../../operator/api/names.ts";
import { isClosed, type Run } from "../../operator/api/run.ts";
import type { Stored } from "../../operator/cluster/ports.ts";
import { UsageError } from "../arguments.ts";
import type { Cluster } from "../cluster.ts";
import { COMPONENT, type Command } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { findRun, readEnvironment, readRuns } from "../lookup.ts";
import { NotReady } from "../outcomes.ts";
import { annotate } from "./ask.ts";

export const cancel: Command = {
  name: "cancel",
  summary: "end a Run that is under way: the engine is asked to stop, and saves its state",
  arguments: [{ name: "ENV|RUN", offers: "environment-or-run" }],
  options: [COMPONENT],
  details: [
    "Annotates the environment with terrarium.dev/cancel. What was done until then stays, and the Run tells it.",
    "Of an environment with several Runs under way, name the component.",
  ],
  async run({ cluster: open, terminal }, said) {
    const cluster = await open();
    const run = await openRun(cluster, said.argument(0), said.values("component"));
    const { name } = run.spec.environment;
    await annotate(cluster, name, { [ANNOTATIONS.cancel]: run.metadata.name });
    terminal.print(`Asked ${run.metadata.name} (${name}/${run.spec.component}) to stop.`);
    terminal.tell(`What becomes of it: kubectl terrarium runs ${name} -n ${cluster.namespace}`);
    return EXIT.done;
  },
};

async function openRun(cluster: Cluster, name: string, components: readonly string[]): Promise<Stored<Run>> {
  const named = await findRun(cluster, name);
  if (named !== undefined) {
    if (isClosed(named)) throw new NotReady(`The Run ${name} has ended already.`);
    return named;
  }
  const environment = await readEnvironment(cluster, name);
  const open = (await readRuns(cluster, environment))
    .filter((run) => !isClosed(run))
    .filter(({ spec }) => components.length === 0 || components.includes(spec.component));
  const [run, ...others] = open;
  if (run === undefined) throw new NotReady(`No Run of ${name} is under way.`);
  if (others.length > 0) {
    const names = open.map(({ spec }) => spec.component).join(", ");
    throw new UsageError(`several Runs of ${name} are under way: choose one with --component (${names})`);
  }
  return run;
}
