import { setImmediate as nextTurn } from "node:timers/promises";

/** Does what takes long step by step; whoever else has something to do gets a turn in between. */
export async function leisurely<T>(work: Generator<void, T>): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    await nextTurn();
  }
}
