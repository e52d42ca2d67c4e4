/** The second Deployment: looks up git refs at addresses that tenants choose, from a process that has no rights at all. */
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { contentsOf, resolveRef } from "../source/git.ts";
import { startHealthServers } from "../telemetry/health.ts";
import { createLogger } from "../telemetry/logger.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { addressRules } from "./address-rules.ts";
import { createAnswerer } from "./answer.ts";
import { readConfig } from "./config.ts";
import { createResolverServer } from "./server.ts";
import { createTurns } from "./turns.ts";

/** A git process each: what a small pod carries. */
const LIMITS = { total: 16, perHost: 6, waiting: 500 };

async function main(): Promise<void> {
  const config = readConfig();
  const logger = createLogger({ level: config.logLevel, facts: { program: "terrarium-resolver" } });
  const metrics = createMetrics({ ofProcess: true });
  const { tokenFile } = config;
  let stopping = false;
  let listening = false;

  const server = createResolverServer({
    answer: createAnswerer({
      rules: addressRules(config.allowRanges, config.denyRanges),
      turns: createTurns(LIMITS),
      resolveRef,
      contentsOf,
      scratch: tmpdir(),
      onBug: (error) => logger.error("a lookup failed for a reason of our own", { error }),
    }),
    logger,
    token: async () => (tokenFile === undefined ? undefined : (await readFile(tokenFile, "utf8")).trim()),
    onAnswered: (outcome, durationMs) => metrics.gitLookedUp({ outcome, durationMs }),
  });
  const health = await startHealthServers({
    host: config.host,
    healthPort: config.healthPort,
    metricsPort: config.metricsPort,
    alive: [],
    ready: [
      { name: "listening", trouble: () => (listening ? undefined : "not yet") },
      { name: "staying", trouble: () => (stopping ? "shutting down" : undefined) },
    ],
    metrics: metrics.page,
  });

  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    logger.info("stopping", { signal });
    // Answers under way are given: each has a deadline.
    await server.close();
    await health.close();
  };
  process.on("SIGTERM", (signal) => void stop(signal));
  process.on("SIGINT", (signal) => void stop(signal));

  await server.listen({ host: config.host, port: config.port });
  listening = true;
  const { healthPort, metricsPort } = health;
  const [address] = server.addresses();
  const port = typeof address === "object" ? address.port : config.port;
  logger.info("listening", { port, healthPort, metricsPort, asksForToken: tokenFile !== undefined });
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
