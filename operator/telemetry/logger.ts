import { type DestinationStream, type Logger as Pino, pino } from "pino";

/** Facts beside a message: names and counts, never values of variables, credentials or outputs. */
export type LogFacts = Readonly<Record<string, unknown>>;

/** What everybody logs through. An error goes into the facts as `error`. */
export interface Logger {
  debug(message: string, facts?: LogFacts): void;
  info(message: string, facts?: LogFacts): void;
  warn(message: string, facts?: LogFacts): void;
  error(message: string, facts?: LogFacts): void;
}

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerSettings {
  readonly level: LogLevel;
  /** Facts on every line: program, version, replica. */
  readonly facts?: LogFacts;
}

/** Keys whose values are blotted out, at the top and up to three levels down: a net, not a licence to log them. */
const SECRET_KEYS = [
  "password",
  "token",
  "secret",
  "authorization",
  "Authorization",
  "credentials",
  "session",
  "digestKey",
  "privateKey",
  "value",
  "stringData",
  "data",
] as const;

const redactedPaths = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`, `*.*.*.${key}`]);

/** JSON lines on stdout, unless another destination is given. */
export function createLogger(settings: LoggerSettings, destination?: DestinationStream): Logger {
  const options = {
    level: settings.level,
    base: { ...settings.facts },
    messageKey: "message",
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: redactedPaths, censor: "[redacted]" },
    serializers: { error: describeError },
  };
  return portOf(destination === undefined ? pino(options) : pino(options, destination));
}

function portOf(target: Pino): Logger {
  return {
    debug: (message, facts = {}) => target.debug(facts, message),
    info: (message, facts = {}) => target.info(facts, message),
    warn: (message, facts = {}) => target.warn(facts, message),
    error: (message, facts = {}) => target.error(facts, message),
  };
}

/** Name, message, stack and causes only: errors of HTTP clients carry whole requests with their headers. */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error === "object" ? "an object that is no Error" : String(error);
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    ...(error.cause !== undefined && depth < 3 ? { cause: describeError(error.cause, depth + 1) } : {}),
  };
}
