/**
 * The argument lists of every engine command we run. They go to the program as they are, never through a shell; a path
 * follows its option after `=` or is absolute, so that nothing a tenant chose can become an option.
 */

/** Wait for a lock that another writer of the same pod may still be giving back; real contention is for the gateway. */
const lockTimeout = "-lock-timeout=60s";
const quiet: readonly string[] = ["-input=false", "-no-color"];

export class UnsafeArgument extends Error {
  override readonly name = "UnsafeArgument";
  constructor(what: string, value: string) {
    super(`${what} ${JSON.stringify(value.slice(0, 80))} cannot be given to the engine`);
  }
}

export interface InitOptions {
  /** True: modules are those that an earlier `init` fetched. One that is not there is an error, and nothing is fetched. */
  readonly keepModules?: boolean;
}

export function initArguments({ keepModules = false }: InitOptions = {}): string[] {
  return ["init", ...quiet, ...(keepModules ? ["-get=false"] : [])];
}

export interface PlanOptions {
  readonly mode: "Normal" | "Destroy";
  /** Absolute path that receives the plan. */
  readonly out: string;
  /** Absolute path of the one file with variables. */
  readonly variableFile?: string;
  /** False for a plan that nothing will come of: it reads one version of the state, and keeps nobody from the next. */
  readonly lock?: boolean;
}

export function planArguments(options: PlanOptions): string[] {
  const lock = options.lock === false ? "-lock=false" : lockTimeout;
  const args = ["plan", ...quiet, "-json", lock, `-out=${absolute("the plan's path", options.out)}`];
  if (options.variableFile !== undefined) args.push(variableFile(options.variableFile));
  if (options.mode === "Destroy") args.push("-destroy");
  return args;
}

/** Prints the plan as one JSON document, tens of megabytes for a large one: let it go to a file. */
export function showPlanArguments(plan: string): string[] {
  return ["show", "-no-color", "-json", absolute("the plan's path", plan)];
}

export interface ApplyOptions {
  readonly plan: string;
  /** Only ephemeral variables: a plan holds all others, and refuses a different value. */
  readonly variableFile?: string;
}

/** Applies a saved plan and nothing else: without `-auto-approve` there is no way to apply anything unplanned. */
export function applyArguments(options: ApplyOptions): string[] {
  const args = ["apply", ...quiet, "-json", lockTimeout];
  if (options.variableFile !== undefined) args.push(variableFile(options.variableFile));
  args.push(absolute("the plan's path", options.plan));
  return args;
}

function variableFile(path: string): string {
  return `-var-file=${absolute("the variable file's path", path)}`;
}

function absolute(what: string, path: string): string {
  if (!path.startsWith("/") || path.includes("\0")) throw new UnsafeArgument(what, path);
  return path;
}
