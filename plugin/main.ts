import { systemClock } from "../operator/loop/clock.ts";
import { readConfig } from "./config.ts";
import { EXIT } from "./exit-codes.ts";
import { processTerminal } from "./process-terminal.ts";
import { runProgram } from "./program.ts";

const stopping = new AbortController();
process.once("SIGINT", () => stopping.abort());
process.once("SIGTERM", () => stopping.abort());

const { version, mayColour, kubeconfigs } = readConfig();
const terminal = processTerminal(process, mayColour, stopping.signal);
const world = { terminal, clock: systemClock, signal: stopping.signal, version, kubeconfigs };
void runProgram(process.argv.slice(2), world).then((code) => {
  process.exitCode = code;
});
// `| head` had enough; a full disk has not.
process.once("exit", (code) => {
  const { aborted, reason } = terminal.unread;
  if (aborted && reason.code !== "EPIPE" && code === EXIT.done) process.exitCode = EXIT.error;
});
