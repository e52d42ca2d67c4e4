/**
 * The protocol between the two programs of a runner pod: newline-delimited JSON over a Unix socket.
 *
 * The agent listens and the launcher connects, once. Whatever the launcher reports about a command carries a sequence
 * number and is kept until the agent acknowledges it, so that a restart of the agent in the middle of an apply loses
 * neither a journal line nor the result. The agent names each command: asking twice for one id runs it once, and after
 * a reconnect the reports of a command are sent when the agent asks for that id again. An agent that was restarted
 * therefore walks through the same ids from the top.
 */
import { StringDecoder } from "node:string_decoder";
import { z } from "zod";

/** A message of this many bytes is a protocol error, never something to buffer. */
export const maxMessageBytes = 4 * 1024 * 1024;

const commandId = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/);
const seq = z.number().int().nonnegative();
const noNul = (text: string) => !text.includes("\0");

const runMessage = z.object({
  type: z.literal("run"),
  id: commandId,
  args: z.array(z.string().refine(noNul)).max(256).readonly(),
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().refine(noNul)),
  cwd: z.string().startsWith("/"),
  timeoutMs: z.number().int().positive(),
  graceMs: z.number().int().nonnegative(),
  /** A file name directly in the out volume that receives stdout instead of line messages: for `show -json`. */
  stdoutFile: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
    .optional(),
});

const toLauncher = z.discriminatedUnion("type", [
  z.object({ type: z.literal("prepare"), id: commandId }),
  runMessage,
  z.object({ type: z.literal("signal"), id: commandId, signal: z.enum(["SIGINT", "SIGTERM", "SIGKILL"]) }),
  z.object({ type: z.literal("acknowledge"), seq }),
  z.object({
    type: z.literal("finish"),
    acknowledgeErroredState: z.boolean(),
    exitCode: z.number().int().min(0).max(255),
  }),
]);

const exitMessage = z.object({
  type: z.literal("exit"),
  seq,
  id: commandId,
  code: z.number().int().nullable(),
  signal: z.string().nullable(),
  durationMs: z.number(),
  timedOut: z.boolean(),
  /** Set when the engine could not be started at all. */
  startError: z.string().optional(),
  /** The most memory the container ever held, page cache included; absent where the kernel does not tell. */
  peakRssBytes: z.number().optional(),
  /** The container's own count of out-of-memory kills went up while the command ran. */
  outOfMemory: z.boolean().optional(),
});

const lineMessage = z.object({
  type: z.literal("line"),
  seq,
  id: commandId,
  stream: z.enum(["stdout", "stderr"]),
  text: z.string(),
  /** The line goes on in the next message of this stream. */
  more: z.boolean().optional(),
  /** So many lines before this one were dropped because the agent was away. */
  dropped: z.number().int().optional(),
});

const preparedMessage = z.object({
  type: z.literal("prepared"),
  seq,
  id: commandId,
  files: z.number().int(),
  bytes: z.number(),
  /** Why the tree was refused; nothing runs then. */
  refused: z.string().optional(),
});

const fromLauncher = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("hello"),
    engineVersion: z.string().optional(),
    running: commandId.optional(),
    finished: z.array(commandId).readonly(),
    terminating: z.boolean(),
    /** Names of variables from credentials that the engine does not get. */
    droppedVariables: z.array(z.string()).readonly(),
  }),
  lineMessage,
  preparedMessage,
  exitMessage,
  z.object({ type: z.literal("terminating") }),
  /** The answer to a finish that does not happen: an errored state is there and was not acknowledged. */
  z.object({ type: z.literal("held"), reason: z.string() }),
]);

export type ToLauncher = z.infer<typeof toLauncher>;
export type FromLauncher = z.infer<typeof fromLauncher>;
export type RunMessage = z.infer<typeof runMessage>;
export type LineMessage = z.infer<typeof lineMessage>;
export type ExitMessage = z.infer<typeof exitMessage>;
export type PreparedMessage = z.infer<typeof preparedMessage>;
export type HelloMessage = Extract<FromLauncher, { type: "hello" }>;

export function encodeMessage(message: ToLauncher | FromLauncher): string {
  return `${JSON.stringify(message)}\n`;
}

/** Bytes that are not the protocol: the peer is not ours, or a version apart. The connection must be dropped. */
export class ChannelError extends Error {
  override readonly name = "ChannelError";
}

export function decodeToLauncher(text: string): ToLauncher {
  return parseMessage(toLauncher, text);
}

export function decodeFromLauncher(text: string): FromLauncher {
  return parseMessage(fromLauncher, text);
}

/** Cuts a byte stream into messages; refuses one that is larger than the protocol allows. */
export function messageReader(onMessage: (text: string) => void): (chunk: Buffer) => void {
  const decoder = new StringDecoder("utf8");
  let pending: string[] = [];
  let pendingLength = 0;
  return (chunk) => {
    const parts = decoder.write(chunk).split("\n");
    const last = parts.pop() ?? "";
    for (const part of parts) {
      const text = pending.join("") + part;
      pending = [];
      pendingLength = 0;
      if (text !== "") onMessage(text);
    }
    pending.push(last);
    pendingLength += last.length;
    if (pendingLength > maxMessageBytes) throw new ChannelError(`a message exceeds ${maxMessageBytes} bytes`);
  };
}

function parseMessage<T>(schema: z.ZodType<T>, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ChannelError("a message is not JSON");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  // Only the path and the rule: a message may carry an environment with secret values.
  const issue = parsed.error.issues[0];
  throw new ChannelError(`a message breaks the protocol at "${issue?.path.join(".") ?? ""}" (${issue?.code ?? "?"})`);
}
