import assert from "node:assert/strict";
import { approvers, says, untilHeld } from "./support/approvers.ts";
import { anEnvironment } from "./support/environments.ts";
import { operatorNamespace } from "./support/installation.ts";
import { journey, journeys } from "./support/journey.ts";
import { reports } from "./support/modules.ts";
import type { Place } from "./support/place.ts";
import { recordSecretOf, states } from "./support/states.ts";

const OPERATOR = `system:serviceaccount:${operatorNamespace}:terrarium-operator`;

/** One component that reports what it makes; the text is what changes. */
const shop = (place: Place, text = "", more: object = {}) =>
  anEnvironment({
    name: "shop",
    components: [{ name: "one", module: `${reports(place.outside.address, "thing")}\n# ${text}\n${kept(text)}` }],
    ...more,
  });

const kept = (text: string) => `resource "terraform_data" "kept" {\n  input = "${text}"\n}\n`;

journeys("states in people's hands", () => {
  journey(
    "a state is listed, pulled, pushed and restored, and what follows from it waits for a person",
    async (place) => {
      await approvers(place, "ann");
      await place.apply(shop(place, "before"));
      await place.untilReady("shop");
      const { get, pull, push, restore } = states(place, "shop.one");
      assert.match(await place.kubectl(["get", "states"]), /NAME +SERIAL +RESOURCES .*\nshop\.one +\d+ +2/);
      const before = await pull();
      assert.match(before, /"before"/);

      await place.apply(shop(place, "after"));
      await place.untilRunEnds("one", 2);
      await place.untilReady("shop");
      assert.match(await pull(), /"after"/);
      const first = JSON.parse(before) as { readonly serial: number };
      await assert.rejects(push(before), /serial \d+ is stored; this state has serial/);

      const { status } = await restore({ serial: first.serial });
      assert.equal(status.lastWrite?.how, "Restore");
      assert.equal(status.lastWrite?.unsettled, true);
      assert.ok((status.serial ?? 0) > first.serial, "a serial is never used twice");
      assert.match(await pull(), /"before"/);
      const run = await untilHeld(place, "one", 3);
      assert.equal(run.spec.cause.type, "StateReplaced");
      assert.match(await pull(), /"before"/, "nothing is applied unasked");
      await says(place, "ann", "Approve", run);
      await place.untilRunEnds("one", 3);
      await place.untilReady("shop");
      assert.match(await pull(), /"after"/);
      assert.equal(place.outside.count("create/thing"), 1);
      const settled = (await get()).status;
      assert.equal(settled.lastWrite?.unsettled, undefined);
      assert.ok(settled.versions.length >= 3);
      const events = await place.kubectl(["get", "events", "-o", "jsonpath={.items[*].reason}"]);
      assert.match(events, /StatePulled/);
      assert.match(events, /StateRestored/);
    },
  );

  journey("an existing state moves in with one push: nothing is made a second time", async (place) => {
    await place.apply(shop(place, "x"));
    await place.untilReady("shop");
    const existing = await states(place, "shop.one").pull();
    await place.patch("shop", { spec: { deletionPolicy: "Retain" } });
    await place.delete("shop");
    await place.untilGone("shop");

    const module = `${reports(place.outside.address, "thing")}\n${kept("x")}`;
    const moved = (suspend: boolean) =>
      anEnvironment({ name: "moved", suspend, components: [{ name: "all", module }] });
    await place.apply(moved(true));
    await place.untilReason("moved", "all", "Suspended");
    const { status } = await states(place, "moved.all").push(existing);
    assert.equal(status.resources, 2);
    await place.apply(moved(false));
    await place.untilReady("moved");
    assert.equal((await place.untilRunEnds("all", 1)).status?.outcome?.result, "Unchanged");
    assert.equal(place.outside.count("create/thing"), 1);
    await place.delete("moved");
    await place.untilGone("moved");
    assert.equal(place.outside.count("destroy/thing"), 1, "it is ours now");
  });

  journey(
    "a record that is lost is no reason to let go: deletion waits, and goes on when it is back",
    async (place) => {
      await place.apply(shop(place, "x"));
      await place.untilReady("shop");
      const { secret, name } = await recordSecretOf(place, "shop", "one");
      const remove = ["delete", "secret", name, "--namespace", operatorNamespace, "--wait=false"];
      await assert.rejects(place.kubectl(remove), /holds a state or a key of Terrarium/);
      const patch = ["patch", "secret", name, "--namespace", operatorNamespace, "--type=merge"];
      await place.kubectl([...patch, "-p", '{"metadata":{"finalizers":null}}', "--as", OPERATOR]);
      await place.kubectl([...remove, "--as", OPERATOR]);

      await place.delete("shop");
      await place.untilReason("shop", "one", "StateLost", { within: 90 });
      assert.equal(place.outside.count("destroy/thing"), 0);
      assert.equal((await place.runs("one")).length, 1);

      await place.kubectl(["create", "--namespace", operatorNamespace, "-f", "-"], JSON.stringify(secret));
      await place.untilGone("shop");
      assert.equal(place.outside.count("destroy/thing"), 1);
    },
    { within: 180 },
  );

  journey(
    "a record that is lost for good is made up for by a push",
    async (place) => {
      await place.apply(shop(place, "x"));
      await place.untilReady("shop");
      const { pull, push } = states(place, "shop.one");
      const copy = await pull();
      const { name } = await recordSecretOf(place, "shop", "one");
      const patch = ["patch", "secret", name, "--namespace", operatorNamespace, "--type=merge"];
      await place.kubectl([...patch, "-p", '{"metadata":{"finalizers":null}}', "--as", OPERATOR]);
      await place.kubectl(["delete", "secret", name, "--namespace", operatorNamespace, "--as", OPERATOR]);
      await place.untilReason("shop", "one", "StateLost", { within: 90 });
      await push(copy);
      await place.untilReady("shop");
      assert.equal(place.outside.count("create/thing"), 1);
    },
    { within: 180 },
  );

  journey("a Run that is cancelled in apply stops in good order, says what was done, and stays so", async (place) => {
    const { outside } = place;
    outside.hold("create/second");
    const module = reports(outside.address, "first") + reports(outside.address, "second", ["first"]);
    await place.apply(anEnvironment({ name: "cut", components: [{ name: "one", module }] }));
    await outside.arrival("create/second");
    const [run] = await place.runs("one");
    assert.ok(run);
    await place.annotate("cut", { "terrarium.dev/cancel": run.metadata.name });
    await place.untilRun("one", ({ status }) => status?.cancelRequestedAt !== undefined);
    // The engine ends what the second one waits for: nobody answers it before that.
    const { status } = await place.untilRunEnds("one");
    outside.release("create/second");
    assert.deepEqual([status?.phase, status?.outcome?.reason], ["Cancelled", "Cancelled"]);
    assert.match(status?.outcome?.message ?? "", /1 of 2 changes were done, and the state is saved \(serial \d+/);
    await place.untilReason("cut", "one", "Cancelled");
    const { metadata } = await place.environment("cut");
    assert.equal(metadata.annotations?.["terrarium.dev/cancel"], undefined, "it is taken off once carried out");
    const state = await states(place, "cut.one").get();
    assert.equal(state.status.lock, undefined);
    assert.equal((await place.runs("one")).length, 1, "nothing is repeated by itself");

    await place.request("cut");
    await place.untilReady("cut", { within: 90 });
    assert.equal(outside.count("create/first"), 1, "what was made was not made again");
  });
});
