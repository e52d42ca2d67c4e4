import type { Environment } from "../api/environment.ts";
import type { Run } from "../api/run.ts";
import type { StateKey } from "../storage/record.ts";
import type { Decision } from "./decide.ts";
import { isClosed } from "./observation.ts";
import type { EnvironmentPorts } from "./ports.ts";
import { runName } from "./run-name.ts";
import type { Verdict } from "./verdict.ts";

/** Closed Runs that are kept for each component. */
const RUNS_KEPT = 10;

/** Carries a decision out. Every action is safe to repeat, and a failure of one leaves the others to the next round. */
export async function act(
  environment: Environment,
  decision: Decision,
  ports: EnvironmentPorts,
  signal: AbortSignal,
): Promise<void> {
  switch (decision.type) {
    case "mark":
      return ports.setFinalizer(environment, true, signal);
    case "letGo":
      ports.stopFollowing(environment.metadata.namespace, environment.metadata.name);
      return ports.setFinalizer(environment, false, signal);
    case "converge":
    case "dismantle":
      for (const verdict of decision.verdicts) await takeStep(environment, verdict, ports, signal);
      for (const run of decision.verdicts.flatMap(surplusRuns)) await ports.deleteRun(run, signal);
  }
}

async function takeStep(
  environment: Environment,
  { name, step }: Verdict,
  ports: EnvironmentPorts,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name: environmentName, uid } = environment.metadata;
  const key: StateKey = { namespace, environment: environmentName, component: name };
  switch (step.type) {
    case "none":
      return;
    case "startRun":
      return ports.createRun(environment, runName(step.spec), step.spec, signal);
    case "renameState":
      return ports.renameState({ ...key, component: step.from }, key, signal);
    case "releaseState":
      return ports.releaseState(key, uid, signal);
    case "forgetState":
      return ports.forgetState(key, uid, signal);
  }
}

/** Old closed Runs; the newest that succeeded stays, since it is the record of what is applied. */
function surplusRuns({ past }: Verdict): readonly Run[] {
  const closed = past.runs.filter(isClosed);
  const lastSuccess = closed.find(({ status }) => status?.phase === "Succeeded");
  return closed.slice(RUNS_KEPT).filter((run) => run !== lastSuccess);
}
