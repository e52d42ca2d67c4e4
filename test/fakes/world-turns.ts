import { ApiError, ApiUnreachable } from "../../operator/cluster/errors.ts";

/** What becomes of one request. */
export type Fate =
  | "goes"
  /** Answered with an error before anything was done. */
  | "refused"
  /** Done, and the answer is lost. */
  | "lost"
  /** Its sender dies before it is sent, or after it was done. */
  | "killedBefore"
  | "killedAfter";

/** A program of the world that can die: from then on nothing of it reaches anybody. */
export interface Mortal {
  readonly name: string;
  readonly alive: boolean;
  kill(): void;
  /** Stopped in the middle of things: what it has sent may still arrive, late; it begins nothing any more and hears no answer. */
  freeze(): void;
  readonly frozen: boolean;
}

export class Killed extends Error {
  override readonly name = "Killed";
}

/** A request that waits for the world to let it go on. */
export interface Turn {
  readonly sender: Mortal;
  readonly what: string;
  readonly isWrite: boolean;
  readonly open: (fate: Fate) => void;
}

/**
 * Every request of every program stops here, and the world opens one at a time: so a seed repeats the whole interleaving. A program "runs"
 * while it is between two requests.
 */
export interface Turns {
  /** Requests that wait, in the order of their arrival. */
  waiting(): readonly Turn[];
  mortal(name: string): Mortal;
  request<T>(sender: Mortal, what: string, isWrite: boolean, work: () => T | Promise<T>): Promise<T>;
  /** A program of its own: counted as running until it waits or ends. */
  spawn(work: () => Promise<void>): void;
  /** The caller waits for another program meanwhile. */
  parked<T>(promise: Promise<T>): Promise<T>;
  /** Some program runs, or is about to. */
  isBusy(): boolean;
  /** Resolves when no program runs: all of them wait or have ended. */
  settled(): Promise<void>;
  /** Programs that count themselves (work queues): how many of theirs are under way. */
  alsoCount(busy: () => number): void;
}

/** Turns that are asked of the event loop at once. */
const TURNS_AHEAD = 64;

/**
 * What waits goes on in a turn of the event loop: when every promise has been heard, and every rejection that nobody handles has been told.
 * Before each round of turns the loop asks the system for news, which takes longer than most steps of a story: so many turns share a round.
 */
function createTicks(): () => Promise<void> {
  let waiting: (() => void)[] = [];
  let ahead = 0;
  const turn = (): void => {
    ahead -= 1;
    const served = waiting;
    waiting = [];
    for (const goOn of served) goOn();
  };
  return () => {
    if (ahead === 0) for (; ahead < TURNS_AHEAD; ahead += 1) setImmediate(turn);
    return new Promise((resolve) => void waiting.push(resolve));
  };
}

export function createTurns(): Turns {
  const waiting = new Map<Turn, (error: Error) => void>();
  const counters: (() => number)[] = [];
  const tick = createTicks();
  let running = 0;

  const take = (sender: Mortal, what: string, isWrite: boolean): Promise<Fate> =>
    new Promise((resolve, reject) => {
      const turn: Turn = {
        sender,
        what,
        isWrite,
        open(fate) {
          waiting.delete(turn);
          running += 1;
          resolve(fate);
        },
      };
      waiting.set(turn, (error) => {
        waiting.delete(turn);
        running += 1;
        reject(error);
      });
      running -= 1;
    });

  const isBusy = (): boolean => running + counters.reduce((sum, count) => sum + count(), 0) > 0;

  const turns: Turns = {
    waiting: () => [...waiting.keys()],
    mortal(name) {
      let alive = true;
      let frozen = false;
      const self: Mortal = {
        name,
        get alive() {
          return alive;
        },
        get frozen() {
          return frozen;
        },
        freeze() {
          frozen = true;
        },
        kill() {
          if (!alive) return;
          alive = false;
          for (const [turn, reject] of [...waiting]) if (turn.sender === self) reject(new Killed(name));
        },
      };
      return self;
    },
    async request(sender, what, isWrite, work) {
      if (!sender.alive || sender.frozen) throw new Killed(sender.name);
      const fate = await take(sender, what, isWrite);
      if (fate === "killedBefore") sender.kill();
      if (!sender.alive) throw new Killed(sender.name);
      if (fate === "refused")
        throw new ApiError({ request: what, status: 503, reason: "ServiceUnavailable", message: "injected" });
      const answer = await work();
      if (fate === "killedAfter") sender.kill();
      if (!sender.alive || sender.frozen) throw new Killed(sender.name);
      if (fate === "lost") throw new ApiUnreachable(what, "the answer was lost");
      return answer;
    },
    spawn(work) {
      running += 1;
      void work().finally(() => {
        running -= 1;
      });
    },
    async parked(promise) {
      running -= 1;
      try {
        return await promise;
      } finally {
        running += 1;
      }
    },
    isBusy,
    async settled() {
      await tick();
      while (isBusy()) await tick();
    },
    alsoCount: (busy) => void counters.push(busy),
  };
  return turns;
}
