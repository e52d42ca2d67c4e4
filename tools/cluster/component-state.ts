import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { COMPONENT_NAMES, type ComponentName } from "./components.ts";
import type { ClusterPaths } from "./paths.ts";
import { namespacePids, type ProcessIdentity } from "./processes.ts";

/** One component as it is now. */
export interface ComponentState {
  readonly name: ComponentName;
  /** Its number outside of the cluster's namespaces, where signals are sent from; nothing when it does not run. */
  readonly pid: number | undefined;
  /** How often it ended since the cluster was started; it is started again each time. */
  readonly exits: number;
  readonly log: string;
}

export async function componentStates(
  paths: ClusterPaths,
  supervisor: ProcessIdentity | undefined,
): Promise<ComponentState[]> {
  const pids = supervisor === undefined ? new Map<number, number>() : await namespacePids(supervisor.pid);
  return Promise.all(
    COMPONENT_NAMES.map(async (name) => ({
      name,
      pid: pids.get(Number(await readOrEmpty(join(paths.runDir, `${name}.pid`)))),
      exits: (await readOrEmpty(join(paths.runDir, `${name}.exits`))).split("\n").filter(Boolean).length,
      log: join(paths.logsDir, `${name}.log`),
    })),
  );
}

/** A component that ends again and again will not come up by waiting. */
const TOLERATED_EXITS = 4;

/** Throws with the end of its log when one of the components does not stay up. */
export async function refuseCrashLoops(paths: ClusterPaths, supervisor: ProcessIdentity): Promise<void> {
  for (const state of await componentStates(paths, supervisor)) {
    if (state.exits > TOLERATED_EXITS) throw new Error(await describeFailure(state));
  }
}

/** What a person needs to see of components that kept a step from succeeding. */
export async function describeFailures(paths: ClusterPaths, supervisor: ProcessIdentity | undefined): Promise<string> {
  const troubled = (await componentStates(paths, supervisor)).filter(
    ({ pid, exits }) => pid === undefined || exits > 0,
  );
  return (await Promise.all(troubled.map(describeFailure))).join("\n");
}

async function describeFailure(state: ComponentState): Promise<string> {
  const log = (await readOrEmpty(state.log)).trimEnd().split("\n").slice(-12).join("\n");
  return `${state.name} ended ${state.exits} times. The end of ${state.log}:\n${log}`;
}

async function readOrEmpty(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "");
}
