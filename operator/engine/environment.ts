/**
 * What the engine's process may see of variables that a user's credentials bring, and what every engine gets from us.
 * The names of dropped variables are reported to the user; their values never are.
 */

/**
 * `TF_VAR_*` is dropped, too: a value that comes in beside the variable file is not part of the inputs that a waiting
 * plan is compared with, and one that changed makes the engine refuse the plan at apply.
 */
const engineControls = [
  /^TF_CLI_ARGS/,
  /^TF_HTTP_/,
  /^TF_VAR_/,
  /^TF_LOG/,
  /^TF_ENCRYPTION$/,
  /^TF_(DATA_DIR|WORKSPACE|STATE_PERSIST_INTERVAL|REATTACH_PROVIDERS|CLI_CONFIG_FILE|INPUT|IN_AUTOMATION|PLUGIN_CACHE.*)$/,
  /^TF_(SKIP_.*|IGNORE|FORCE_.*|STATE_.*|TEMP_LOG_PATH|CLOUD_.*|WORKSPACE_.*)$/,
  /^TERRAFORM_CONFIG$/,
  /^TERRARIUM_/,
  /^CHECKPOINT_/,
];

const processControls = [
  /^LD_/,
  /^DYLD_/,
  /^(PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|IFS|ENV|BASH_ENV|TMPDIR|TMP|TEMP|HOSTNAME)$/,
  /^BASH_FUNC_/,
  /^NODE_/,
  /^(PYTHON(PATH|HOME|STARTUP)|PERL5(LIB|OPT)|RUBY(LIB|OPT)|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS)$/,
  /^(GOGC|GODEBUG|GOMEMLIMIT|GOMAXPROCS|GOTRACEBACK|GOCOVERDIR)$/,
  /^(GCONV_PATH|LOCPATH|MALLOC_.*|GLIBC_TUNABLES|RES_OPTIONS|HOSTALIASES)$/,
  /^GIT_(EXEC_PATH|SSH|SSH_COMMAND|ASKPASS|CONFIG.*|DIR|WORK_TREE|TEMPLATE_DIR|TRACE.*|PROXY_COMMAND|EXTERNAL_DIFF)$/,
  /^(SSH_ASKPASS|EDITOR|VISUAL|PAGER)$/,
];

export interface FilteredEnvironment {
  readonly kept: Readonly<Record<string, string>>;
  /** Sorted names. */
  readonly dropped: readonly string[];
}

export function isReservedVariable(name: string): boolean {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return true;
  const upper = name.toUpperCase();
  return [...engineControls, ...processControls].some((pattern) => pattern.test(upper));
}

export function filterEnvironment(given: Readonly<Record<string, string | undefined>>): FilteredEnvironment {
  const kept: Record<string, string> = {};
  const dropped: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (isReservedVariable(name) || value.includes("\0")) dropped.push(name);
    else kept[name] = value;
  }
  return { kept, dropped: dropped.sort() };
}

export interface EngineHome {
  /** A writable directory that is not the working directory. */
  readonly home: string;
  readonly temporary: string;
  /** The engine's settings file with the provider mirror of the image. */
  readonly cliConfigFile?: string;
  /** Memory limit of the engine container. */
  readonly memoryLimitBytes?: number;
}

/** Collecting garbage less often makes a plan of a thousand resources a fifth quicker; a soft limit keeps that harmless. */
export function baseEnvironment(home: EngineHome): Record<string, string> {
  const memory: Record<string, string> =
    home.memoryLimitBytes === undefined
      ? {}
      : { GOGC: "400", GOMEMLIMIT: `${Math.floor((home.memoryLimitBytes * 0.4) / 1048576)}MiB` };
  return {
    HOME: home.home,
    TMPDIR: home.temporary,
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    LANG: "C.UTF-8",
    TF_IN_AUTOMATION: "1",
    TF_INPUT: "0",
    CHECKPOINT_DISABLE: "1",
    // Git must fail, not ask: nobody is there to type a password.
    GIT_TERMINAL_PROMPT: "0",
    ...(home.cliConfigFile === undefined ? {} : { TF_CLI_CONFIG_FILE: home.cliConfigFile }),
    ...memory,
  };
}
