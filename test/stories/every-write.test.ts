import assert from "node:assert/strict";
import { aModule } from "../fakes/world-people.ts";
import type { Fate, Turn } from "../fakes/world-turns.ts";
import { isConverged, staysQuiet, type Told, tell, until } from "./telling.ts";

const SEED = 11;
/** Every write where more stories are asked for; otherwise every fourth. */
const STRIDE = process.env.TERRARIUM_STORIES === undefined ? 4 : 1;

/** A short life: created, changed, deleted. */
async function life(told: Told): Promise<void> {
  const { person } = told;
  person.create([aModule("network"), aModule("app", ["network"], { size: 2 })]);
  await until(told, "created", () => person.exists() && isConverged(told), false);
  person.set("network", "value", "v2");
  await until(told, "changed", () => isConverged(told), false);
  assert.equal(person.things().length, 3);
  person.delete();
  await until(told, "gone", () => !person.exists() && person.runs().length + person.pods().length === 0, false);
  await staysQuiet(told);
}

/** Writes of the operator's controllers, and of its gateway, which pods have asked for. */
const isOperators = ({ sender, isWrite }: Turn): boolean => isWrite && sender.name.startsWith("operator");
const isGateways = ({ sender, isWrite }: Turn): boolean => isWrite && sender.name === "gateway";

/** Lets the n-th of these writes meet its fate, and all others go. */
function atWrite(n: number, fate: Fate, counts: (turn: Turn) => boolean): (turn: Turn) => Fate {
  let seen = 0;
  return (turn) => {
    if (!counts(turn)) return "goes";
    seen += 1;
    return seen === n ? fate : "goes";
  };
}

async function countWrites(counts: (turn: Turn) => boolean): Promise<number> {
  let writes = 0;
  const fateOf = (turn: Turn): Fate => {
    if (counts(turn)) writes += 1;
    return "goes";
  };
  await tell({ seed: SEED, fateOf }, life);
  return writes;
}

const rows: readonly { readonly name: string; readonly fate: Fate; readonly counts: (turn: Turn) => boolean }[] = [
  { name: "the operator dies before any one of its writes", fate: "killedBefore", counts: isOperators },
  { name: "the operator dies after any one of its writes", fate: "killedAfter", counts: isOperators },
  { name: "the answer to any one of the operator's writes is lost", fate: "lost", counts: isOperators },
  { name: "any one of the operator's writes is refused", fate: "refused", counts: isOperators },
  { name: "the gateway dies before any one of its writes", fate: "killedBefore", counts: isGateways },
  { name: "the gateway dies after any one of its writes", fate: "killedAfter", counts: isGateways },
  { name: "the answer to any one of the gateway's writes is lost", fate: "lost", counts: isGateways },
  { name: "any one of the gateway's writes is refused", fate: "refused", counts: isGateways },
];

describe("An Environment is created, changed and deleted", () => {
  for (const [index, { name, fate, counts }] of rows.entries()) {
    it(`although ${name}`, async function () {
      this.timeout(120_000);
      const writes = await countWrites(counts);
      assert.ok(writes > 20, `${writes} writes`);
      for (let n = 1 + (index % STRIDE); n <= writes; n += STRIDE) {
        await tell({ seed: SEED, fateOf: atWrite(n, fate, counts) }, life).catch((error: unknown) => {
          throw new Error(`at write ${n} of ${writes}: ${error instanceof Error ? error.message : String(error)}`);
        });
      }
    });
  }
});
