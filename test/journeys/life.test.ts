import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { now, writesSince } from "./support/audit.ts";
import { anEnvironment, fromOutput } from "./support/environments.ts";
import { journey, journeys, journeyWithEachEngine } from "./support/journey.ts";
import { keeps, planAsks, reports } from "./support/modules.ts";
import { conditionOf, lineOf, type Place } from "./support/place.ts";

const quietSeconds = 25;

journeys("the life of an environment", () => {
  journeyWithEachEngine("what is unchanged starts no Run and is not written to", async (place, engine) => {
    await place.apply(anEnvironment({ name: "quiet", engine, components: [{ name: "one", module: keeps("x") }] }));
    const before = await place.untilReady("quiet");
    await place.untilLetGo("one");
    // Events are written after what they tell of.
    await pause(2_000);
    const from = await now(place);
    await pause(quietSeconds * 1000);
    const writes = await writesSince(place, from);
    assert.deepEqual(
      writes.map(({ verb, resource, name }) => `${verb} ${resource} ${name}`),
      [],
    );
    const after = await place.environment("quiet");
    assert.equal(after.metadata.resourceVersion, before.metadata.resourceVersion);
    assert.equal((await place.runs()).length, 1);

    // The same manifest again, and a change that means nothing to the components.
    await place.apply(
      anEnvironment({ name: "quiet", engine, retry: { limit: 3 }, components: [{ name: "one", module: keeps("x") }] }),
    );
    await place.untilReady("quiet");
    assert.equal((await place.runs()).length, 1);
  });

  journeyWithEachEngine("requestedAt makes one fresh Run of every component", async (place, engine) => {
    await place.apply(
      anEnvironment({
        name: "asked",
        engine,
        components: [
          { name: "one", module: keeps("x") },
          { name: "two", module: keeps("y") },
        ],
      }),
    );
    await place.untilReady("asked");
    await place.request("asked");
    await place.untilReady("asked");
    const runs = await place.runs();
    assert.equal(runs.length, 4);
    for (const run of runs.filter(({ spec }) => spec.number === 2)) {
      assert.equal(run.spec.cause.type, "Requested");
      assert.equal(run.status?.outcome?.result, "Unchanged");
    }
  });

  journeyWithEachEngine(
    "suspend starts nothing new, lets a running apply end, and goes on when it is lifted",
    async (place, engine) => {
      const { outside } = place;
      const environment = (suspend: boolean, text: string) =>
        anEnvironment({
          name: "suspended",
          engine,
          suspend,
          components: [
            { name: "one", module: `${keeps(text)}${reports(outside.address, "slow")}` },
            { name: "two", module: keeps(text), dependsOn: ["one"] },
          ],
        });
      outside.hold("create/slow");
      await place.apply(environment(false, "a"));
      await outside.arrival("create/slow");
      await place.apply(environment(true, "a"));
      outside.release("create/slow");
      await place.untilComponent("suspended", "one", ({ state }) => state === "Ready");
      const two = await place.untilComponent("suspended", "two", ({ state }) => state === "Suspended");
      assert.match(two.message ?? "", /suspend/);
      assert.equal((await place.runs("two")).length, 0);

      await place.apply(environment(true, "b"));
      await place.untilComponent("suspended", "one", ({ state }) => state === "Suspended");
      assert.equal((await place.runs("one")).length, 1);
      await place.apply(environment(false, "b"));
      await place.untilReady("suspended");
    },
  );

  journey(
    "suspend in the middle of a plan keeps it from being applied, and it is as it was when that is lifted",
    async (place) => {
      const { outside } = place;
      outside.hold("version");
      const module = planAsks(outside) + reports(outside.address, "thing");
      await place.apply(anEnvironment({ name: "planning", components: [{ name: "one", module }] }));
      await outside.arrival("version");
      await place.patch("planning", { spec: { suspend: true } });
      outside.release("version");
      const run = await place.untilRun("one", ({ status }) => status?.heldAt !== undefined, {
        about: "its plan to wait",
      });
      assert.match(run.status?.plan?.why ?? "", /suspend/);
      assert.equal(outside.count("create/thing"), 0);
      await place.patch("planning", { spec: { suspend: false } });
      await place.untilReady("planning");
      assert.deepEqual([(await place.runs("one")).length, outside.count("create/thing")], [1, 1]);
    },
  );

  journeyWithEachEngine(
    "formerName moves the state: nothing is destroyed, nothing is made again",
    async (place, engine) => {
      const { outside } = place;
      const module = reports(outside.address, "lasting");
      await place.apply(anEnvironment({ name: "renamed", engine, components: [{ name: "net", module }] }));
      await place.untilReady("renamed");
      await place.apply(
        anEnvironment({ name: "renamed", engine, components: [{ name: "network", formerName: "net", module }] }),
      );
      const ready = await place.untilReady("renamed");
      assert.deepEqual(
        ready.status?.components?.map(({ name }) => name),
        ["network"],
      );
      assert.deepEqual(outside.heard, ["create/lasting"]);
      await place.delete("renamed");
      await place.untilGone("renamed");
      assert.deepEqual(outside.heard, ["create/lasting", "destroy/lasting"]);
    },
  );

  journeyWithEachEngine(
    "a removed component waits for confirmation, and is then destroyed after what used it",
    async (place, engine) => {
      const { outside } = place;
      const base = { name: "base", module: `${keeps("x")}${reports(outside.address, "base")}` };
      const user = (name: string) => ({
        name,
        module: `variable "given" {}\n${reports(outside.address, name)}`,
        variables: [fromOutput("given", "base", "kept")],
      });
      const last = { name: "last", module: keeps("stays") };
      await place.apply(anEnvironment({ name: "shrinks", engine, components: [base, user("user"), last] }));
      await place.untilReady("shrinks");
      await place.apply(anEnvironment({ name: "shrinks", engine, components: [last] }));
      const line = await place.untilReason("shrinks", "user", "RemovalNeedsConfirmation");
      assert.match(line.message ?? "", /confirm-destroy=user/);
      await place.until("shrinks", (one) => conditionOf(one, "Stalled")?.reason === "RemovalNeedsConfirmation");
      assert.deepEqual(
        outside.heard.filter((what) => what.startsWith("destroy")),
        [],
      );

      await place.annotate("shrinks", { "terrarium.dev/confirm-destroy": "user,base" });
      const ready = await place.untilReady("shrinks");
      assert.deepEqual(
        ready.status?.components?.map(({ name }) => name),
        ["last"],
      );
      assert.deepEqual(
        outside.heard.filter((what) => what.startsWith("destroy")),
        ["destroy/user", "destroy/base"],
      );
    },
  );

  journeyWithEachEngine(
    "Retain keeps what exists and releases its state, which a new Environment of the same name takes over",
    async (place, engine) => {
      const { outside } = place;
      const environment = (deletionPolicy: "Retain" | "Destroy") =>
        anEnvironment({
          name: "kept",
          engine,
          deletionPolicy,
          components: [{ name: "one", module: reports(outside.address, "lasting") }],
        });
      await place.apply(environment("Retain"));
      await place.untilReady("kept");
      await place.delete("kept");
      await place.untilGone("kept");
      assert.deepEqual(outside.heard, ["create/lasting"]);

      await place.apply(environment("Destroy"));
      const ready = await place.untilReady("kept");
      const run = (await place.runs()).at(-1);
      assert.equal(run?.status?.outcome?.result, "Unchanged", "the state was adopted: there was nothing to make");
      assert.ok(lineOf("one")(ready)?.appliedAt);
      assert.deepEqual(outside.heard, ["create/lasting"]);
      await place.delete("kept");
      await place.untilGone("kept");
      assert.deepEqual(outside.heard, ["create/lasting", "destroy/lasting"]);
    },
  );

  journey("an Environment that is made anew while the old one is destroyed begins after that", async (place) => {
    const { outside } = place;
    const environment = anEnvironment({
      name: "again",
      components: [{ name: "one", module: reports(outside.address, "thing") }],
    });
    await place.apply(environment);
    await place.untilReady("again");
    outside.hold("destroy/thing");
    await place.delete("again");
    await outside.arrival("destroy/thing");
    const refused = await changesNothing(place, environment);
    outside.release("destroy/thing");
    await place.untilGone("again");
    await place.apply(environment);
    await place.untilReady("again");
    assert.ok(refused);
    assert.deepEqual(outside.heard, ["create/thing", "destroy/thing", "create/thing"]);
  });
});

/** Applying over an object that is being deleted does not bring it back. */
async function changesNothing(place: Place, environment: object): Promise<boolean> {
  await place.apply(environment).catch(() => undefined);
  return (await place.environment("again")).metadata.deletionTimestamp !== undefined;
}
