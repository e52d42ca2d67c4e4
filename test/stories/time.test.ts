import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../operator/api/names.ts";
import type { Run } from "../../operator/api/run.ts";
import { ENVIRONMENTS } from "../../operator/cluster/resources.ts";
import { aLifetime, T0 } from "../fakes/objects.ts";
import { nights, pair, sleep } from "./lives.ts";
import { isConverged, staysQuiet, type Told, tell, until } from "./telling.ts";

const HOUR_MS = 3_600_000;

const ready = (told: Told) => until(told, "ready", () => isConverged(told) && told.person.exists(), false);

const hourOf = ({ world }: Told): number => (world.clock.now().getTime() - T0) / HOUR_MS;

/** Every Run that ever was, as `operation component at hour`, in the order of their creation. */
function begun({ world }: Told): readonly string[] {
  const runs = new Map<string, Run>();
  for (const { plural, old, now } of world.api.log)
    if (plural === "runs" && old === undefined && now !== undefined) runs.set(now.metadata.uid, now as unknown as Run);
  return [...runs.values()].map(({ spec, metadata }) => {
    const hour = (Date.parse(metadata.creationTimestamp ?? "") - T0) / HOUR_MS;
    return `${spec.operation} ${spec.component} at ${Math.floor(hour)}`;
  });
}

const reasonOf = ({ person }: Told, type = "Ready") => person.conditionOf(type)?.reason;

function annotate({ world }: Told, annotations: Readonly<Record<string, string>>): void {
  world.api.edit(ENVIRONMENTS, "team", "shop", (old) => ({
    ...old,
    metadata: { ...old.metadata, annotations: { ...old.metadata.annotations, ...annotations } },
  }));
}

async function created(told: Told, spec: Partial<EnvironmentSpec>): Promise<void> {
  told.person.create(pair, spec);
  await told.world.rest();
}

describe("A change outside of the windows", () => {
  it("waits for the hour, whatever happens to the operator meanwhile", async () => {
    await tell({ seed: 21 }, async (told) => {
      await created(told, { windows: [nights] });
      assert.equal(reasonOf(told), "WindowClosed");
      told.world.restartOperator();
      await told.world.rest();
      await ready(told);
      assert.deepEqual(begun(told), ["Apply network at 22", "Apply app at 22"]);
      await staysQuiet(told);
    });
  });

  it("goes ahead with a person's reason, once: the annotation is taken off", async () => {
    await tell({ seed: 22 }, async (told) => {
      await created(told, { windows: [nights] });
      annotate(told, { [ANNOTATIONS.windowOverride]: "the shop is down" });
      await ready(told);
      assert.equal(told.person.find()?.metadata.annotations?.[ANNOTATIONS.windowOverride], undefined);
      told.person.set("network", "value", "v2");
      await told.world.rest();
      assert.equal(reasonOf(told), "WindowClosed");
      assert.deepEqual(begun(told), ["Apply network at 0", "Apply app at 0"]);
      await ready(told);
      assert.ok(hourOf(told) >= 22);
    });
  });
});

describe("A lifetime", () => {
  it("ends in an empty cloud and an object that stays, until it is extended", async () => {
    await tell({ seed: 23 }, async (told) => {
      await created(told, { lifetime: aLifetime() });
      await ready(told);
      told.world.clock.advance(23 * HOUR_MS);
      await told.world.rest();
      assert.equal(reasonOf(told, "Expiring"), "Expiring");
      const expired = () => told.person.find()?.status?.summary === "expired, 2/2 gone";
      await until(told, "expired", expired, false);
      assert.deepEqual(told.person.things(), []);
      assert.deepEqual(begun(told).slice(2), ["Destroy app at 24", "Destroy network at 24"]);
      await staysQuiet(told);
      annotate(told, { [ANNOTATIONS.extendUntil]: "2026-02-01T00:00:00Z" });
      await ready(told);
      assert.equal(told.person.things().length, told.person.wanted().length);
    });
  });

  it("takes the object along where that is declared", async () => {
    await tell({ seed: 24 }, async (told) => {
      await created(told, { lifetime: aLifetime({ ttl: "2h" }, "DeleteObject") });
      await ready(told);
      await until(told, "gone", () => !told.person.exists(), false);
      assert.deepEqual(told.person.things(), []);
    });
  });
});

describe("A sleep", () => {
  const sleeping = pair.map((component) => ({ ...component, sleep: { destroy: true } }));

  const awake = (told: Told) => until(told, "awake", () => isConverged(told) && reasonOf(told) === "Applied", false);

  it("empties the cloud in the evening and fills it in the morning, against and along the arrows", async () => {
    await tell({ seed: 26 }, async (told) => {
      told.person.create(sleeping, { lifetime: { sleep } as NonNullable<EnvironmentSpec["lifetime"]> });
      await until(told, "asleep at midnight, when it was made", () => reasonOf(told) === "Asleep", false);
      assert.deepEqual(begun(told), []);
      await awake(told);
      await until(told, "asleep", () => reasonOf(told) === "Asleep", false);
      assert.deepEqual(told.person.things(), []);
      told.person.set("network", "value", "v2");
      await told.world.rest();
      assert.equal(reasonOf(told), "Asleep", "a change does not wake it");
      await awake(told);
      assert.deepEqual(begun(told), [
        "Apply network at 7",
        "Apply app at 7",
        "Destroy app at 20",
        "Destroy network at 20",
        "Apply network at 31",
        "Apply app at 31",
      ]);
    });
  });
});

describe("A clock that is set while the operator runs", () => {
  it("is noticed within ten minutes, without an event", async () => {
    await tell({ seed: 25 }, async (told) => {
      await created(told, { windows: [nights] });
      // Nobody has touched the object: only the wall clock is elsewhere now.
      told.world.clock.set(22 * HOUR_MS);
      await until(told, "ready", () => isConverged(told), false);
      assert.ok(told.world.clock.monotonicMs() <= 11 * 60_000, `${told.world.clock.monotonicMs()} ms later`);
    });
  });
});
