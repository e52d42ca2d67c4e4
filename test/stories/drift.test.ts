import assert from "node:assert/strict";
import { isClosed } from "../../operator/api/run.ts";
import { aModule } from "../fakes/world-people.ts";
import type { Fate, Turn } from "../fakes/world-turns.ts";
import { checks, created, lifeWithDrift, lookedAt, pair } from "./lives.ts";
import { isConverged, type Told, tell, until } from "./telling.ts";

const spec = { drift: { interval: "10m" } };
const correcting = { drift: { interval: "10m", action: "Correct" as const } };
const drifted = ({ person }: Told) => person.conditionOf("Drifted")?.status;
const lineOf = ({ person }: Told, name: string) =>
  person.find()?.status?.components?.find((line) => line.name === name);

describe("Drift, in the world", () => {
  it("is found and told, stops nobody, and is gone when it is undone by hand", async () => {
    await tell({ seed: 1 }, async (told) => {
      const { person } = told;
      person.create(pair, spec);
      await created(told);
      await lookedAt(told);
      assert.equal(drifted(told), "False");
      const undo = person.tamper("network");
      await until(told, "found", () => drifted(told) === "True", false);
      assert.deepEqual([lineOf(told, "network")?.state, lineOf(told, "app")?.state], ["Drifted", "Ready"]);
      assert.deepEqual(lineOf(told, "network")?.drift?.addresses, ["thing.r0"]);
      assert.ok(person.isReady());
      person.set("app", "value", "v2");
      await until(told, "the dependent is changed", () => lineOf(told, "app")?.number === 3 || person.isReady(), false);
      assert.ok(person.isReady());
      undo();
      await until(told, "gone", () => drifted(told) === "False", false);
      assert.ok(isConverged(told));
    });
  });

  it("is undone by an ordinary Run that a person asks for", async () => {
    await tell({ seed: 2 }, async (told) => {
      const { person } = told;
      person.create(pair, spec);
      await created(told);
      person.tamper("network", "delete");
      await until(told, "found", () => drifted(told) === "True", false);
      person.request();
      await until(told, "undone", () => isConverged(told) && drifted(told) === "False", false);
    });
  });

  it("is brought back by itself where that is wanted, and nobody has to wait for it", async () => {
    await tell({ seed: 5 }, async (told) => {
      const { person } = told;
      person.create(pair, correcting);
      await created(told);
      for (const how of ["edit", "delete"] as const) {
        person.tamper("network", how);
        await until(told, "brought back", () => isConverged(told) && drifted(told) === "False", false);
      }
      const causes = person.runs().map(({ spec: run }) => `${run.operation} ${run.component} ${run.cause.type}`);
      assert.equal(causes.filter((line) => line === "Apply network DriftFound").length, 2);
      assert.equal(causes.filter((line) => line === "Apply app DriftFound").length, 0);
    });
  });

  it("that is not there costs four writes, and none of the record or of the Environment", async () => {
    await tell({ seed: 3 }, async (told) => {
      const { world, person } = told;
      person.create([aModule("network")], spec);
      await created(told);
      await lookedAt(told);
      const before = world.told.length;
      const checked = checks(told).length;
      await lookedAt(told);
      const said = world.told.slice(before).map((line) => line.replace(/^\S+ /, ""));
      const writes = said
        .filter((line) => /^(operator|gateway)[^:]*: /.test(line))
        .map((line) => line.replace(/ [^ ]*$/, ""));
      assert.deepEqual(writes.toSorted(), [
        "gateway: status Run",
        "operator 1: create Pod",
        "operator 1: create Run",
        "operator 1: delete Run",
      ]);
      assert.equal(checks(told).length, checked);
    });
  });

  it("is not looked for while a change begins: the change begins at once, and the look is dropped", async () => {
    await tell({ seed: 4 }, async (told) => {
      const { world, person } = told;
      person.create([aModule("network")], spec);
      await created(told);
      while (!checks(told).some((run) => !isClosed(run)) || world.kubelet.running().length === 0) {
        if (await world.step()) continue;
        world.clock.advance(world.clock.untilNext() ?? 0);
      }
      const [check] = checks(told).filter((run) => !isClosed(run));
      person.set("network", "value", "v2");
      const at = world.clock.now();
      await world.rest();
      assert.deepEqual(world.clock.now(), at, "no time has passed");
      assert.ok(isConverged(told));
      const ended = checks(told).find(({ metadata }) => metadata.uid === check?.metadata.uid);
      assert.ok(ended === undefined || isClosed(ended));
    });
  });
});

const isWriteOf = (name: string) => (turn: Turn) => turn.isWrite && turn.sender.name.startsWith(name);

function atWrite(n: number, fate: Fate, counts: (turn: Turn) => boolean): (turn: Turn) => Fate {
  let seen = 0;
  return (turn) => {
    if (!counts(turn)) return "goes";
    seen += 1;
    return seen === n ? fate : "goes";
  };
}

describe("A life with drift", function () {
  this.timeout(120_000);
  const stride = process.env.TERRARIUM_STORIES === undefined ? 20 : 1;
  const rows: readonly (readonly [string, Fate, (turn: Turn) => boolean])[] = [
    ["the operator dies before any one of its writes", "killedBefore", isWriteOf("operator")],
    ["the operator dies after any one of its writes", "killedAfter", isWriteOf("operator")],
    ["the answer to any one of the operator's writes is lost", "lost", isWriteOf("operator")],
    ["any one of the operator's writes is refused", "refused", isWriteOf("operator")],
    ["the answer to any one of the gateway's writes is lost", "lost", isWriteOf("gateway")],
    ["any one of the gateway's writes is refused", "refused", isWriteOf("gateway")],
  ];
  for (const [what, fate, counts] of rows) {
    it(`goes the same way when ${what}`, async function () {
      let writes = 0;
      const counting = (turn: Turn): Fate => {
        if (counts(turn)) writes += 1;
        return "goes";
      };
      await tell({ seed: 7, fateOf: counting }, lifeWithDrift);
      let stories = 0;
      for (let n = 1; n <= writes; n += stride) {
        stories += 1;
        await tell({ seed: 7, fateOf: atWrite(n, fate, counts) }, lifeWithDrift).catch((error: unknown) => {
          throw new Error(`at write ${n} of ${writes}: ${String(error)}`);
        });
      }
      if (this.test !== undefined) this.test.title += ` (${stories} of ${writes})`;
    });
  }
});
