import assert from "node:assert/strict";
import { anEnvironment, fromOutput } from "./support/environments.ts";
import { applyHalfWay, goOn, wentOn } from "./support/half-way.ts";
import { journey, journeys } from "./support/journey.ts";
import { keeps, keepsVariable } from "./support/modules.ts";
import { conditionOf, type Place } from "./support/place.ts";
import { Plugin, type Spoken } from "./support/plugin.ts";

journeys("kubectl terrarium", () => {
  let plugin: Plugin;
  before("the bundled plugin on the PATH", async () => {
    plugin = await Plugin.install();
  });
  after(() => plugin.remove());

  const terrarium = (place: Place, ...args: readonly string[]): Promise<Spoken> => plugin.say(place, ...args);

  journey("tells what an environment does, and says to it what a person says", async (place) => {
    const shop = (size: string) =>
      anEnvironment({
        name: "shop",
        variables: [{ name: "size", value: size }],
        components: [
          { name: "network", module: keepsVariable("size") },
          { name: "app", module: keepsVariable("net"), variables: [fromOutput("net", "network", "kept")] },
        ],
      });
    await place.apply(shop("small"));
    await place.untilReady("shop");

    const ready = await terrarium(place, "status", "shop");
    assert.equal(ready.code, 0, ready.out);
    assert.match(ready.out, /network +Ready .*\n└─ app +Ready/);
    const listed = await terrarium(place, "runs", "shop");
    assert.match(listed.out, /app +1 +Apply +Created +Applied/);
    const printed = await terrarium(place, "logs", "shop", "-c", "network");
    assert.match(printed.out, /Apply complete!/);
    assert.match((await terrarium(place, "graph", "shop")).out, /2 +app +Ready +network/);
    const health = await terrarium(place, "doctor");
    assert.equal(health.code, 0, health.out);
    assert.match(health.out, /2 of 2 replicas are ready in terrarium-system/);

    await terrarium(place, "suspend", "shop");
    await place.apply(shop("large"));
    await place.until("shop", ({ status }) => status?.components?.some(({ state }) => state === "Suspended") ?? false);
    const held = await terrarium(place, "status", "shop");
    assert.equal(held.code, 3);
    assert.match(held.out, /kubectl terrarium resume shop/);
    await terrarium(place, "resume", "shop");
    await place.untilReady("shop");
    assert.equal((await terrarium(place, "run", "shop")).code, 0);
    await place.until("shop", ({ status }) => status?.handledRequest !== undefined && status.summary === "2/2 ready");
    assert.equal((await terrarium(place, "status", "nothing")).code, 5);
  });

  journey("shows a plan that waits, and applies exactly what was approved", async (place) => {
    const shop = (size: string) =>
      anEnvironment({
        name: "shop",
        // What the journey leaves behind is destroyed without a word.
        approval: { required: 1, destroy: { required: 0 } },
        variables: [{ name: "size", value: size }],
        components: [
          { name: "network", module: keepsVariable("size") },
          { name: "app", module: keepsVariable("net"), variables: [fromOutput("net", "network", "kept")] },
        ],
      });
    await place.apply(shop("small"));
    const waits = (component: string) =>
      place.until("shop", ({ status }) =>
        (status?.components ?? []).some(({ name, state }) => name === component && state === "AwaitingApproval"),
      );
    await waits("network");
    const waiting = await terrarium(place, "status", "shop");
    assert.equal(waiting.code, 3);
    assert.match(waiting.out, /network +AwaitingApproval +\+1 .*an approval/);
    assert.match(waiting.out, /Behind it waits app/);
    assert.match((await terrarium(place, "plan", "shop")).out, /terraform_data\.kept/);
    const unasked = await terrarium(place, "approve", "shop");
    assert.equal(unasked.code, 2);
    const approved = await terrarium(place, "approve", "shop", "--yes", "--reason", "read it");
    assert.equal(approved.code, 0, approved.out);
    await waits("app");
    assert.equal((await terrarium(place, "reject", "shop", "--yes", "--reason", "not on a Friday")).code, 0);
    await place.until("shop", ({ status }) => (status?.components ?? []).some(({ reason }) => reason === "Rejected"));
    assert.match((await terrarium(place, "status", "shop")).out, /not on a Friday/);
    assert.match((await terrarium(place, "runs", "shop")).out, /Rejected|Cancelled/);
  });

  journey("follows what the engine prints, line by line, until the Run ends", async (place) => {
    await applyHalfWay(place);
    const following = plugin.begin(place, "logs", "served", "-f");
    await following.until(/terraform_data\.first: Creation complete/);
    goOn(place);
    const { code, out } = await following.ended;
    assert.equal(code, 0, out);
    assert.match(out, /terraform_data\.second: Creation complete[\s\S]*Apply complete!/);
    await wentOn(place);
  });

  journey("stops a Run that applies: what was done is told, and nothing more is made", async (place) => {
    const { outside } = place;
    await applyHalfWay(place);
    const cancelling = plugin.begin(place, "cancel", "served");
    await cancelling.until(/Asked served-one-\w+ \(served\/one\) to stop/);
    // The engine ends what the second one waits for: nobody answers it before that.
    const { code, out } = await cancelling.ended;
    goOn(place);
    assert.equal(code, 0, out);
    assert.match(out, /has ended as Cancelled: cancelled by a person while it was applied: 1 of 2 changes/);
    await place.untilReason("served", "one", "Cancelled");
    const told = await terrarium(place, "runs", "served");
    assert.match(told.out, /one +1 +Apply .*cancelled by a person while it was applied: 1 of 2 changes/);
    const twice = await terrarium(place, "cancel", "served");
    assert.equal(twice.code, 3, twice.out);

    assert.equal((await terrarium(place, "run", "served")).code, 0);
    await place.untilReady("served");
    assert.equal(outside.count("create/first"), 1, "what was made was not made again");
  });

  journey("lets an environment live longer than it was to", async (place) => {
    const until = `${new Date(Date.now() + 30 * 60_000).toISOString().slice(0, 19)}Z`;
    const lifetime = { until, warnBefore: "1h" };
    await place.apply(anEnvironment({ name: "preview", lifetime, components: [{ name: "one", module: keeps("x") }] }));
    const about = (reason: string) => ({ about: `its end to be ${reason}` });
    const isSo = (reason: string) => (one: Parameters<typeof conditionOf>[0]) =>
      conditionOf(one, "Expiring")?.reason === reason;
    await place.until("preview", isSo("Expiring"), about("Expiring"));
    const extended = await terrarium(place, "extend", "preview", "--for", "12h");
    assert.equal(extended.code, 0, extended.out);
    const end = /lives until (\S+)\.\d+Z\./.exec(extended.out)?.[1];
    assert.ok(end, extended.out);
    const lasting = await place.until("preview", isSo("Lasting"), about("Lasting"));
    assert.equal(conditionOf(lasting, "Expiring")?.message, `its lifetime ends at ${end}Z`);
  });
});
