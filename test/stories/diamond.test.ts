import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import type { Run } from "../../operator/api/run.ts";
import type { Pod } from "../../operator/cluster/kinds.ts";
import type { Stored } from "../../operator/cluster/ports.ts";
import { PODS } from "../../operator/cluster/resources.ts";
import { removeByHand } from "../fakes/world-kubelet.ts";
import { aModule } from "../fakes/world-people.ts";
import { created, cutOff, diamond, gone } from "./lives.ts";
import { isConverged, staysQuiet, type Told, tell, until } from "./telling.ts";

const ORDER = ["network", "database", "cache", "app"];

/** Every Run with its cause and its end, by component: what does not depend on who was quicker. */
function conversation({ world }: Told): readonly string[] {
  const runs = new Map<string, Run>();
  for (const { plural, now } of world.api.log)
    if (plural === "runs" && now !== undefined) runs.set(now.metadata.uid, now as unknown as Run);
  return [...runs.values()]
    .toSorted(
      (a, b) => ORDER.indexOf(a.spec.component) - ORDER.indexOf(b.spec.component) || a.spec.number - b.spec.number,
    )
    .map(({ spec, status }) => {
      const { operation, component, number, cause } = spec;
      return `${component} #${number}: ${operation} because ${cause.type}, ends as ${status?.outcome?.reason}`;
    });
}

/** Set TERRARIUM_GOLDEN=write to accept what is told now. */
function isAsTold(told: Told, title: string): void {
  const file = new URL(`golden/${title}.txt`, import.meta.url);
  const text = `${conversation(told).join("\n")}\n`;
  if (process.env.TERRARIUM_GOLDEN === "write") writeFileSync(file, text);
  assert.equal(text, readFileSync(file, "utf8"));
}

describe("A diamond", () => {
  it("is created in the order of its arrows, and then left alone", async () => {
    await tell({ seed: 1 }, async (told) => {
      told.person.create(diamond);
      await created(told);
      await staysQuiet(told);
      isAsTold(told, "created");
    });
  });

  it("is changed at its root: what uses the output that moved follows, each once", async () => {
    await tell({ seed: 2 }, async (told) => {
      told.person.create(diamond);
      await created(told);
      told.person.set("network", "value", "v2");
      await until(told, "changed", () => isConverged(told), false);
      await staysQuiet(told);
      isAsTold(told, "changed");
    });
  });

  it("is blocked behind a component that fails, and goes on when that is mended", async () => {
    await tell({ seed: 3 }, async (told) => {
      const { person } = told;
      person.create([
        aModule("network"),
        aModule("database", ["network"], { mode: "plan-fails" }),
        ...diamond.slice(2),
      ]);
      await until(told, "given up", () => person.conditionOf("Stalled")?.reason === "RetriesExhausted", false);
      const state = (name: string) => person.find()?.status?.components?.find((line) => line.name === name)?.state;
      assert.deepEqual(["network", "database", "cache", "app"].map(state), ["Ready", "Failed", "Ready", "Blocked"]);
      await staysQuiet(told);
      person.set("database", "mode", "good");
      await until(told, "mended", () => isConverged(told), false);
      isAsTold(told, "mended");
    });
  });

  it("is deleted against its arrows", async () => {
    await tell({ seed: 4 }, async (told) => {
      told.person.create(diamond);
      await created(told);
      told.person.delete();
      await gone(told);
      assert.deepEqual(told.person.things(), []);
      isAsTold(told, "deleted");
    });
  });

  it("is kept, and adopted by the next of its name, when its policy is Retain", async () => {
    await tell({ seed: 5 }, async (told) => {
      const { person, world } = told;
      person.create(diamond, { deletionPolicy: "Retain" });
      await created(told);
      const before = world.cloud.objects();
      person.delete();
      await gone(told);
      assert.deepEqual(world.cloud.objects(), before);
      person.create(diamond);
      await created(told);
      assert.deepEqual(world.cloud.objects(), before);
    });
  });
});

function onlyPod({ person }: Told): Stored<Pod> {
  const [pod] = person.pods();
  assert.ok(pod !== undefined);
  return pod as Stored<Pod>;
}

describe("A pod", () => {
  it("that is asked to end while it applies hands its state over, and only then does the next one begin", async () => {
    await tell({ seed: 9 }, async (told) => {
      const { person, world } = told;
      person.create([aModule("network", [], { size: 3 })]);
      while (world.cloud.objects().length < 1) await world.step();
      const { namespace, name } = onlyPod(told).metadata;
      world.api.delete(PODS, namespace, name, undefined);
      for (const cache of world.operator().caches) cache.deliver(cache.behind());
      await until(told, "gone on", () => isConverged(told), false);
      assert.equal(world.cloud.abandoned().size, 0);
    });
  });

  it("that vanished while it planned is fenced before the next one begins: nothing of it is applied any more", async () => {
    await tell({ seed: 10 }, async (told) => {
      const { person, world } = told;
      person.create([aModule("network")]);
      while (world.store.memory.records()[0]?.claim === undefined) await world.step();
      world.setGatewayAway(true);
      removeByHand(world.api, onlyPod(told));
      while (person.runs()[0]?.status?.phase !== "Failed") await world.step();
      world.setGatewayAway(false);
      await world.rest();
      assert.deepEqual(world.cloud.ledger, []);
      await until(told, "tried again", () => isConverged(told), false);
    });
  });
});

describe("An apply that is cut off", () => {
  it("is not repeated, names what it left, and goes on when a person approves the plan for the rest", async () => {
    await tell({ seed: 6 }, async (told) => {
      const { person, world } = told;
      await cutOff(told);
      const line = person.find()?.status?.components?.[0];
      assert.equal(line?.state, "AwaitingApproval");
      const [run, rest] = person.runs();
      assert.equal(run?.status?.phase, "Interrupted");
      assert.ok((run?.status?.outcome?.journal?.entries ?? 0) > 0);
      const written = world.writes.length;
      for (let hours = 0; hours < 20; hours += 1) {
        world.clock.advance(3_600_000);
        await world.rest();
      }
      assert.deepEqual(world.writes.slice(written), []);
      assert.ok(rest !== undefined);
      person.say("Approve", "ann", rest);
      await until(told, "approved", () => isConverged(told), false);
      assert.equal(person.runs().length, 2);
    });
  });

  it("goes on under the ordinary rules when a person asks for a fresh plan", async () => {
    await tell({ seed: 6 }, async (told) => {
      const { person } = told;
      await cutOff(told);
      person.request();
      await until(told, "asked", () => isConverged(told), false);
      assert.deepEqual(
        person.runs().map(({ status }) => status?.outcome?.result),
        ["Interrupted", "Cancelled", "Applied"],
      );
    });
  });

  it("keeps its Environment from being deleted only until a person has seen to what no state has", async () => {
    await tell({ seed: 7 }, async (told) => {
      await cutOff(told);
      const { person } = told;
      person.delete();
      await until(told, "destroyed", () => person.conditionOf("Stalled")?.reason === "LeftBehind", false);
      assert.match(person.conditionOf("Stalled")?.message ?? "", /thing\.r1/);
      assert.ok(person.help(), "a person sees to that");
      await gone(told);
      assert.deepEqual(told.person.things(), []);
    });
  });

  it("keeps its lock while nobody can tell whether its pod lives, until a person says so", async () => {
    await tell({ seed: 8 }, async (told) => {
      const { person, world } = told;
      person.create([aModule("network", [], { size: 3 })]);
      while (world.cloud.objects().length < 1) await world.step();
      world.setGatewayAway(true);
      removeByHand(world.api, onlyPod(told));
      for (let steps = 0; steps < 300; steps += 1) await world.step();
      assert.equal(person.find()?.status?.components?.[0]?.reason, "ProofOfDeathMissing");
      assert.ok(world.store.memory.records()[0]?.lock !== undefined, "the lock is kept");
      world.setGatewayAway(false);
      await until(told, "told and mended", () => isConverged(told));
    });
  });

  it("on a lost node whose Node stays is a person's business after its grace, and goes on when that is given up", async () => {
    await tell({ seed: 8 }, async (told) => {
      const { person, world } = told;
      person.create([aModule("network", [], { size: 3 })]);
      while (world.cloud.objects().length < 1) await world.step();
      const { metadata, spec } = onlyPod(told);
      world.kubelet.silence(spec?.nodeName ?? "");
      world.setGatewayAway(true);
      world.api.delete(PODS, metadata.namespace, metadata.name, undefined);
      const reasonAfter = async (minutes: number) => {
        for (let minute = 0; minute < minutes; minute += 1) {
          world.clock.advance(60_000);
          for (let steps = 0; steps < 100; steps += 1) await world.step();
        }
        return person.find()?.status?.components?.[0]?.reason;
      };
      assert.equal(await reasonAfter(18), "Progressing");
      assert.equal(await reasonAfter(4), "ProofOfDeathMissing");
      assert.ok(world.store.memory.records()[0]?.lock !== undefined, "the lock is kept");
      world.kubelet.remove(spec?.nodeName ?? "");
      world.setGatewayAway(false);
      while (person.runs()[0]?.status?.phase !== "Interrupted") await world.step();
      assert.equal(world.store.memory.records()[0]?.lock, undefined);
    });
  });
});
