import { setTimeout as pause } from "node:timers/promises";

/** Raised when something did not come true in time; says what was awaited and why it was not so the last time. */
export class NotInTime extends Error {
  override readonly name = "NotInTime";

  constructor(what: string, seconds: number, reason: string) {
    super(`${what}: not within ${seconds} s. ${reason}`.trimEnd());
  }
}

/** Looks every 100 ms until `look` gives `true`, or a reason why not yet; an error that it throws ends the wait. */
export async function awaitCondition(what: string, seconds: number, look: () => Promise<true | string>): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (true) {
    const answer = await look();
    if (answer === true) return;
    if (Date.now() >= deadline) throw new NotInTime(what, seconds, answer);
    await pause(100);
  }
}
