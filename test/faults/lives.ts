import { systemClock } from "../../operator/loop/clock.ts";
import type { Fate, Line, LineOptions, Seen } from "./proxy.ts";

export interface LivesOptions {
  readonly name: string;
  openLine(options: Pick<LineOptions, "fateOf" | "onKill">): Promise<Line>;
  /** `ends`: to be called where the process ends by itself. */
  start(line: Line, ends: () => void): Promise<Mortal>;
  /** Of writes that are numbered over all lives. */
  readonly fateOf: (seen: Seen) => Fate;
  readonly tell: (line: string) => void;
}

export interface Mortal {
  /** As SIGKILL does: from now on nothing of it reaches anybody. */
  kill(): Promise<void>;
}

/** A process that is started anew, on a line of its own, whenever it dies. */
export interface Lives {
  /** Every write of all lives, with what became of it. */
  log(): readonly string[];
  writes(): number;
  turnedAway(): number;
  /** All connections that are open now break. */
  shake(): void;
  /** The process dies at this moment; resolves when the next one has begun. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

const LONGEST_START_MS = 30_000;

/** Resolves when the first life has begun. */
export async function livesOf(options: LivesOptions): Promise<Lives> {
  const { name, tell } = options;
  const lines: Line[] = [];
  let writes = 0;
  let isUp = false;
  let ended = false;
  let life: Promise<Mortal>;

  const openLine = async (): Promise<Line> => {
    const before = writes;
    const line = await options.openLine({
      fateOf(seen) {
        writes = before + seen.write;
        return options.fateOf({ ...seen, write: writes });
      },
      onKill: () => again("is killed"),
    });
    lines.push(line);
    return line;
  };
  /** A process that cannot begin says why and ends, and the kubelet starts it again. */
  const begin = async (): Promise<Mortal> => {
    const giveUpAt = performance.now() + LONGEST_START_MS;
    for (;;) {
      const line = await openLine();
      try {
        const process = await options.start(line, () => again("ends"));
        isUp = true;
        return process;
      } catch (error) {
        if (performance.now() > giveUpAt) throw error;
        tell(`the ${name} cannot begin: ${String(error)}`);
        await systemClock.sleep(200);
      }
    }
  };
  const again = (how: string): void => {
    if (ended) return;
    tell(`the ${name} ${how}`);
    // Whoever dies before it is up is started again by whoever starts it.
    if (!isUp) return;
    isUp = false;
    const dead = life;
    life = dead.then((process) => process.kill()).then(() => (ended ? dead : begin()));
    // The story waits in vain then, and says so.
    life.catch(() => {});
  };
  life = begin();
  await life;
  return {
    log: () => lines.flatMap(({ log }) => log),
    writes: () => writes,
    turnedAway: () => lines.reduce((sum, line) => sum + line.turnedAway(), 0),
    shake: () => lines.forEach((line) => void line.shake()),
    async kill() {
      again("is killed");
      await life;
    },
    async close() {
      ended = true;
      await life.then(
        (process) => process.kill(),
        () => {},
      );
      for (const line of lines) await line.close();
    },
  };
}
