import { rotateKeys, runOperator } from "./assemble.ts";
import { readConfig } from "./config.ts";
import { createLogger } from "./telemetry/logger.ts";

/** The process: settings, signals, exit codes. What it does is in assemble.ts. */
async function main(): Promise<void> {
  if (process.argv[2] === "rotate-key") return rotate();
  const config = readConfig();
  const logger = createLogger({
    level: config.TERRARIUM_LOG_LEVEL,
    facts: { program: "terrarium-operator", version: config.TERRARIUM_VERSION, replica: config.TERRARIUM_POD_NAME },
  });
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.once(name, () => {
      logger.info("shutting down", { signal: name });
      stop.abort();
    });
  }
  process.on("unhandledRejection", (error) => logger.error("a promise was rejected and nobody cared", { error }));
  try {
    await runOperator(config, logger, stop.signal);
  } catch (error) {
    logger.error("the operator ends", { error });
    process.exitCode = 1;
  }
  // Open connections must not keep a process alive that has nothing left to do.
  setImmediate(() => process.exit());
}

/** For administrators: `kubectl exec` into a pod of the operator. */
async function rotate(): Promise<void> {
  const { before, now } = await rotateKeys(readConfig().TERRARIUM_NAMESPACE);
  process.stdout.write(
    `states are sealed with the key ${now} from now on; ${before} is kept, for what it has sealed\n`,
  );
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
