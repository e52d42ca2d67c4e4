/** Limits how much is done at once, in all and for each host: one slow server must not keep the others waiting. */
export interface Turns {
  /** Waits for a turn. Throws the signal's reason when it aborts before, and TooBusy when too many wait already. */
  take<T>(host: string, signal: AbortSignal, task: () => Promise<T>): Promise<T>;
}

export interface TurnLimits {
  readonly total: number;
  readonly perHost: number;
  readonly waiting: number;
}

export class TooBusy extends Error {
  constructor() {
    super("the resolver has too many questions waiting; it is tried again by itself");
    this.name = "TooBusy";
  }
}

/** Whose turn a question of this url takes. */
export const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : "");

interface Waiter {
  readonly host: string;
  readonly start: () => void;
}

export function createTurns(limits: TurnLimits): Turns {
  const running = new Map<string, number>();
  const waiting: Waiter[] = [];
  let total = 0;

  const isFree = (host: string): boolean => total < limits.total && (running.get(host) ?? 0) < limits.perHost;
  const enter = (host: string): void => {
    total += 1;
    running.set(host, (running.get(host) ?? 0) + 1);
  };
  const leave = (host: string): void => {
    total -= 1;
    const left = (running.get(host) ?? 1) - 1;
    if (left > 0) running.set(host, left);
    else running.delete(host);
    const next = waiting.findIndex((waiter) => isFree(waiter.host));
    if (next !== -1) waiting.splice(next, 1)[0]?.start();
  };
  const turn = (host: string, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const waiter: Waiter = {
        host,
        start: () => {
          signal.removeEventListener("abort", giveUp);
          enter(host);
          resolve();
        },
      };
      const giveUp = (): void => {
        waiting.splice(waiting.indexOf(waiter), 1);
        reject(signal.reason);
      };
      if (isFree(host)) waiter.start();
      else if (waiting.length >= limits.waiting) reject(new TooBusy());
      else {
        waiting.push(waiter);
        signal.addEventListener("abort", giveUp, { once: true });
      }
    });

  return {
    async take(host, signal, task) {
      signal.throwIfAborted();
      await turn(host, signal);
      try {
        return await task();
      } finally {
        leave(host);
      }
    },
  };
}
