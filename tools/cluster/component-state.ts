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
const SHOWN_LINES = 6;
const SHOWN_WIDTH = 400;

/** Throws when one of the components does not stay up. */
export async function refuseCrashLoops(paths: ClusterPaths, supervisor: ProcessIdentity): Promise<void> {
  const restless = (await componentStates(paths, supervisor)).filter(({ exits }) => exits > TOLERATED_EXITS);
  if (restless.length > 0) throw new Error(`${restless.map(({ name }) => name).join(", ")} does not stay up.`);
}

/** What a person needs to see of the components that kept a step from succeeding: the ends of their logs. */
export async function describeFailures(paths: ClusterPaths, supervisor: ProcessIdentity): Promise<string> {
  const states = await componentStates(paths, supervisor);
  const troubled = states.filter(({ exits }) => exits > 0);
  // Where none ended, one that hangs says why in its log.
  return (await Promise.all((troubled.length > 0 ? troubled : states).map(describeFailure))).join("");
}

async function describeFailure({ name, exits, log }: ComponentState): Promise<string> {
  const lines = (await readOrEmpty(log)).trimEnd().split("\n").filter(Boolean).slice(-SHOWN_LINES);
  if (lines.length === 0) return "";
  const ended = exits === 0 ? "" : ` (ended ${exits} times)`;
  return `\nThe end of ${log}${ended}, of ${name}:\n${lines.map((line) => `  ${line.slice(0, SHOWN_WIDTH)}\n`).join("")}`;
}

async function readOrEmpty(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "");
}
