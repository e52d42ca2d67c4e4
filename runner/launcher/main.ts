/** The program of the engine container: process 1, parent of the engine, without any credential of ours. */

import { hasSaidFarewell } from "../farewell.ts";
import { type LauncherSettings, readSettings } from "./config.ts";
import { Link } from "./link.ts";
import { Session } from "./session.ts";

/** How long the agent may take to say its last word after SIGTERM, when nothing runs any more. */
const lastWordMs = 10_000;

function log(text: string): void {
  process.stderr.write(`launcher: ${text}\n`);
}

async function main(settings: LauncherSettings): Promise<void> {
  // The agent has another user id and the same group.
  process.umask(0o007);
  const session: Session = new Session(settings, {
    send: (message) => link.send(message),
    connected: () => link.connected,
    end: (exitCode) => {
      process.exitCode = exitCode;
      link.stop();
    },
    log,
  });
  const link: Link = new Link({
    socketPath: settings.socket,
    firstConnectMs: settings.connectMs,
    stallMs: settings.stallMs,
    hello: () => session.hello(),
    onMessage: (message) => session.handle(message),
    onChange: () => session.connectionChanged(),
    log,
  });
  process.on("SIGTERM", () => session.terminate());
  process.on("SIGINT", () => session.terminate());
  const watch = setInterval(() => endWhenForgotten(settings, session, link), 250);
  await link.keep();
  clearInterval(watch);
  process.exit();
}

/** Nobody will say finish any more: end, unless the only copy of a state would go with us. */
function endWhenForgotten(settings: LauncherSettings, session: Session, link: Link): void {
  const since = session.idleSince;
  if (link.stopped || since === undefined || (link.connected && !session.terminating)) return;
  const isGone = !link.connected && hasSaidFarewell(settings.socket);
  const limit = session.terminating ? Math.min(lastWordMs, settings.idleMs) : settings.idleMs;
  const isForgotten = isGone || Date.now() - since >= limit;
  if (!isForgotten || session.erroredState !== undefined) return;
  log(`ending, since the agent ${isGone ? "will not come again" : "is away"} and nothing runs`);
  process.exit(session.terminating ? 143 : 1);
}

try {
  await main(readSettings());
} catch (error) {
  log(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
