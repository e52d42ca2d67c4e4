import assert from "node:assert/strict";
import { awaitCondition } from "../../tools/cluster/await-condition.ts";
import { anEnvironment, fromOutput } from "./support/environments.ts";
import { journey, journeys } from "./support/journey.ts";
import { keeps, keepsVariable, planAsks, reports } from "./support/modules.ts";
import { patience } from "./support/patience.ts";
import { conditionOf, type Place } from "./support/place.ts";

const MINUTE_MS = 60_000;

/** The first whole minute that is at least that many seconds away. */
const minuteAfter = (seconds: number): Date =>
  new Date(Math.ceil((Date.now() + seconds * 1000) / MINUTE_MS) * MINUTE_MS);

/** A cron expression of that minute, every day, in UTC. */
const cronAt = (moment: Date): string => `${moment.getUTCMinutes()} ${moment.getUTCHours()} * * *`;

const asTime = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19)}Z`;

// biome-ignore lint/suspicious/noThenProperty: a word of the API, whose value is never a function.
const lifetime = (fields: object, whatThen = "Destroy"): object => ({ ...fields, then: whatThen });

async function eventsOf(place: Place, reason: string): Promise<readonly string[]> {
  const text = await place.kubectl(["get", "events", "-o", "json", `--field-selector=reason=${reason}`]);
  const { items } = JSON.parse(text) as { items: readonly { message?: string; note?: string }[] };
  return items.map(({ message, note }) => message ?? note ?? "");
}

journeys("time", () => {
  journey(
    "outside of the windows nothing begins; a person with a reason goes ahead; at its minute the window opens",
    async (place) => {
      const environment = (text: string, opens: Date) =>
        anEnvironment({
          name: "shop",
          windows: [{ name: "soon", schedule: cronAt(opens), duration: "1h" }],
          components: [{ name: "one", module: keeps(text) }],
        });
      const late = minuteAfter(6 * 3600);
      await place.apply(environment("a", late));
      const line = await place.untilReason("shop", "one", "WindowClosed");
      assert.equal(line.state, "Suspended");
      assert.equal(line.message, `no window is open: the next one opens at ${asTime(late.getTime())}`);
      assert.deepEqual(await place.runs(), []);

      await place.annotate("shop", { "terrarium.dev/window-override": "the shop is down" });
      await place.untilReady("shop");
      const [run] = await place.runs();
      assert.equal(run?.spec.cause.detail, "outside of the windows: the shop is down");
      await place.until("shop", ({ metadata }) => !metadata.annotations?.["terrarium.dev/window-override"], {
        about: "to have used up the override",
      });
      assert.deepEqual(await eventsOf(place, "WindowOverridden"), [
        "one: Run 1 begins outside of the windows: the shop is down",
      ]);

      await place.apply(environment("b", late));
      await place.untilReason("shop", "one", "WindowClosed");
      const soon = minuteAfter(5);
      await place.apply(environment("b", soon));
      const ready = await place.untilReady("shop", { within: 150 });
      const second = (await place.runs()).at(-1);
      assert.ok(Date.parse(second?.metadata.creationTimestamp ?? "") >= soon.getTime(), "and not before");
      assert.equal(ready.status?.summary, "1/1 ready");
    },
    { within: 240 },
  );

  journey(
    "a window that closes while a plan is made: just that plan is applied when one opens again",
    async (place) => {
      const { outside } = place;
      outside.hold("version");
      const environment = (schedule: string) =>
        anEnvironment({
          name: "shop",
          windows: [{ name: "now", schedule, duration: "1h" }],
          components: [{ name: "one", module: planAsks(outside) + reports(outside.address, "thing") }],
        });
      const always = "* * * * *";
      await place.apply(environment(always));
      await outside.arrival("version");
      await place.apply(environment(cronAt(minuteAfter(6 * 3600))));
      outside.release("version");
      const line = await place.untilReason("shop", "one", "WindowClosed");
      assert.match(line.message ?? "", /^its plan may be applied; no window is open/);
      const held = await place.untilRun("one", ({ status }) => status?.phase === "AwaitingApproval");
      assert.equal(held.status?.plan?.verdict, "Hold");
      assert.equal(outside.count("create/thing"), 0);

      await place.apply(environment(always));
      await place.untilReady("shop");
      assert.equal(outside.count("create/thing"), 1);
      assert.equal(outside.count("version"), 1, "nothing is planned a second time");
      const [run, ...more] = await place.runs("one");
      assert.equal(more.length, 0);
      assert.deepEqual([run?.metadata.uid, run?.status?.plan?.digest], [held.metadata.uid, held.status?.plan?.digest]);
    },
  );

  journey(
    "at its end everything is destroyed and the object stays; it comes back when it is extended, and goes when that is declared",
    async (place) => {
      const { outside } = place;
      const environment = (end: object) =>
        anEnvironment({
          name: "preview",
          lifetime: end,
          components: [
            { name: "base", module: `${keeps("x")}${reports(outside.address, "base")}` },
            {
              name: "user",
              module: `variable "given" {}\n${reports(outside.address, "user")}`,
              variables: [fromOutput("given", "base", "kept")],
            },
          ],
        });
      await place.apply(environment(lifetime({ ttl: "24h" })));
      const ready = await place.untilReady("preview");
      assert.equal(conditionOf(ready, "Expiring")?.reason, "Lasting");

      const warned = asTime(Date.now() + 30 * MINUTE_MS);
      await place.apply(environment(lifetime({ until: warned })));
      await place.until("preview", (seen) => conditionOf(seen, "Expiring")?.status === "True", {
        about: "to announce its end",
      });
      // Events are written after what they tell of.
      const announced = new RegExp(`everything is destroyed at ${warned}`);
      await awaitCondition(
        "the event about its end",
        30 * patience,
        async () => announced.test((await eventsOf(place, "Expiring")).join()) || "there is none yet",
      );
      const endsAt = asTime(Date.now() + 2_000);
      await place.apply(environment(lifetime({ until: endsAt })));
      const gone = await place.until("preview", ({ status }) => status?.summary === "expired, 2/2 gone", {
        about: "to be expired",
        within: 120,
      });
      assert.deepEqual(
        ["Ready", "Reconciling", "Stalled", "Expiring"].map((type) => conditionOf(gone, type)?.status),
        ["False", "False", "False", "False"],
      );
      assert.equal(conditionOf(gone, "Ready")?.reason, "Expired");
      assert.deepEqual(outside.heard, ["create/base", "create/user", "destroy/user", "destroy/base"]);

      // As a GitOps tool does: the same manifest again makes nothing anew.
      await place.apply(environment(lifetime({ until: endsAt })));
      await place.request("preview");
      await place.until("preview", ({ metadata, status }) => {
        return status?.handledRequest === metadata.annotations?.["terrarium.dev/requestedAt"];
      });
      assert.equal((await place.runs()).length, 4);

      await place.annotate("preview", { "terrarium.dev/extend-until": asTime(Date.now() + 3_600_000) });
      await place.untilReady("preview");
      assert.deepEqual(outside.heard.slice(4), ["create/base", "create/user"]);

      await place.annotate("preview", { "terrarium.dev/extend-until": null });
      await place.apply(environment(lifetime({ until: endsAt }, "DeleteObject")));
      await place.untilGone("preview");
      assert.deepEqual(outside.heard.slice(6), ["destroy/user", "destroy/base"]);
    },
    { within: 240 },
  );

  journey(
    "it falls asleep in the reverse order and wakes in order, to what is declared by then",
    async (place) => {
      const { outside } = place;
      const environment = (user: string, falls: Date, wakes: Date) =>
        anEnvironment({
          name: "shop",
          lifetime: { sleep: { schedule: cronAt(falls), wake: cronAt(wakes) } },
          components: [
            {
              name: "base",
              module: keepsVariable("size", "number"),
              variables: [{ name: "size", value: 2 }],
              sleep: { variables: [{ name: "size", value: 0 }] },
            },
            {
              name: "user",
              module: reports(outside.address, user),
              dependsOn: ["base"],
              sleep: { destroy: true },
            },
          ],
          outputs: [{ name: "size", valueFrom: { output: { component: "base", name: "kept" } } }],
        });
      // Awake since a minute ago, and for hours.
      await place.apply(environment("user", minuteAfter(6 * 3600), minuteAfter(-120)));
      await place.untilReady("shop");
      const falls = minuteAfter(5);
      await place.apply(environment("user", falls, minuteAfter(12 * 3600)));
      const asleep = await place.until("shop", ({ status }) => status?.summary === "1/2 ready, 2 asleep", {
        about: "to be asleep",
        within: 180,
      });
      assert.deepEqual(
        [conditionOf(asleep, "Ready")?.status, conditionOf(asleep, "Ready")?.reason],
        ["True", "Asleep"],
      );
      assert.deepEqual(
        asleep.status?.outputs?.map(({ value }) => value),
        [0],
      );
      await place.apply(environment("later", falls, minuteAfter(10)));
      const awake = await place.until("shop", ({ status }) => status?.summary === "2/2 ready", {
        about: "to be awake",
        within: 240,
      });
      assert.equal(conditionOf(awake, "Ready")?.reason, "Applied");
      assert.deepEqual(outside.heard, ["create/user", "destroy/user", "create/later"]);
      const causes = (await place.runs("user")).map(({ spec }) => spec.cause.type);
      assert.deepEqual(causes, ["Created", "Asleep", "Woken"]);
    },
    { within: 480 },
  );

  journey("a protected environment cannot be deleted until somebody lifts that, as the refusal says", async (place) => {
    await place.apply(
      anEnvironment({ name: "dear", deletionProtection: true, components: [{ name: "one", module: keeps("x") }] }),
    );
    await place.untilReady("dear");
    const refusal = await place.kubectl(["delete", "environment", "dear"]).then(
      () => "",
      (error: unknown) => String(error),
    );
    assert.match(refusal, /is protected from deletion; to lift that: kubectl patch environment dear/);
    await place.patch("dear", { spec: { deletionProtection: false } });
    await place.delete("dear");
    await place.untilGone("dear");
  });
});
