import type { Command } from "./command.ts";
import { approve, reject } from "./commands/approve.ts";
import { resume, run, suspend } from "./commands/ask.ts";
import { cancel } from "./commands/cancel.ts";
import { createCompletion } from "./commands/completion.ts";
import { doctor } from "./commands/doctor.ts";
import { extend } from "./commands/extend.ts";
import { graph } from "./commands/graph.ts";
import { logs } from "./commands/logs.ts";
import { plan } from "./commands/plan.ts";
import { runs } from "./commands/runs.ts";
import { stateCommands } from "./commands/state.ts";
import { status } from "./commands/status.ts";
import { unlock } from "./commands/unlock.ts";

const spoken: readonly Command[] = [
  status,
  plan,
  approve,
  reject,
  runs,
  logs,
  run,
  cancel,
  suspend,
  resume,
  extend,
  unlock,
  ...stateCommands,
  graph,
  doctor,
];

/** In the order in which help lists them. */
export const COMMANDS: readonly Command[] = [...spoken, ...createCompletion(spoken)];
