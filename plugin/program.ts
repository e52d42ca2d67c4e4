import type { Clock } from "../operator/loop/clock.ts";
import { hear, splitCommand, UsageError, understand } from "./arguments.ts";
import { type Cluster, type ClusterOptions, openCluster } from "./cluster.ts";
import type { Command, Said } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { explain } from "./explain.ts";
import { harmlessText } from "./harmless.ts";
import { helpOf, overview, usageOf } from "./help.ts";
import type { Terminal } from "./terminal.ts";

export interface World {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly version: string;
  readonly kubeconfigs?: string | undefined;
  /** Tests hand over another one. */
  readonly open?: (options: ClusterOptions) => Promise<Cluster>;
}

/** One call of the plugin, from its arguments to its exit code. Never throws. */
export async function runProgram(args: readonly string[], world: World): Promise<ExitCode> {
  const { terminal } = world;
  const { word, command, rest } = splitCommand(args, COMMANDS);
  if (command === undefined) return withoutCommand(word, args, world);
  try {
    const said = command.takesAll ? hear(rest) : understand(rest, command);
    if (said.has("help")) {
      terminal.print(helpOf(command));
      return EXIT.done;
    }
    return await carryOut(command, said, world);
  } catch (error) {
    if (world.signal.aborted) return EXIT.interrupted;
    if (terminal.unread.aborted && error === terminal.unread.reason) return EXIT.done;
    const { sentence, code } = explain(error);
    terminal.tell(harmlessText(sentence));
    if (error instanceof UsageError) terminal.tell(`Usage: ${usageOf(command)}\n--help tells more.`);
    return code;
  }
}

function withoutCommand(word: string | undefined, args: readonly string[], { terminal, version }: World): ExitCode {
  const helped = args.includes("--help") || args.includes("-h");
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${word} `));
  if (word === undefined && args.includes("--version")) {
    terminal.print(version);
    return EXIT.done;
  }
  if (word === undefined || group.length > 0) {
    terminal.print(word === undefined ? overview(COMMANDS) : group.map(helpOf).join("\n\n"));
    return helped ? EXIT.done : EXIT.usage;
  }
  terminal.tell(`There is no command "${word}". kubectl terrarium --help lists them.`);
  return EXIT.usage;
}

async function carryOut(command: Command, said: Said, world: World): Promise<ExitCode> {
  const { terminal, clock, signal } = world;
  let opened: Promise<Cluster> | undefined;
  const cluster = () => {
    opened ??= (world.open ?? openCluster)(clusterOptions(said, world));
    return opened;
  };
  try {
    return await command.run({ cluster, terminal, clock, signal }, said);
  } finally {
    await opened?.then((one) => one.close()).catch(() => undefined);
  }
}

function clusterOptions(said: Said, { clock, version, kubeconfigs: list }: World): ClusterOptions {
  const [file, context, namespace] = ["kubeconfig", "context", "namespace"].map(said.value);
  return {
    clock,
    version,
    ...(list === undefined ? {} : { list }),
    ...(file === undefined ? {} : { file }),
    ...(context === undefined ? {} : { context }),
    ...(namespace === undefined ? {} : { namespace }),
  };
}
