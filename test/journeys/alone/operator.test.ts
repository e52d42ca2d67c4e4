import assert from "node:assert/strict";
import { now, type Request, writesOf } from "../support/audit.ts";
import { anEnvironment, fromOutput } from "../support/environments.ts";
import { applyHalfWay, goOn, takenDown, wentOn } from "../support/half-way.ts";
import { journey, journeys } from "../support/journey.ts";
import { keeps, reports } from "../support/modules.ts";
import {
  freezeLeader,
  killLeader,
  killOperators,
  logBeforeRestart,
  restartOperators,
  scaleOperators,
  takeLease,
  untilNoOperatorIsLeft,
  untilOperatorsAreReady,
} from "../support/operator-pods.ts";
import { untilJournalled } from "../support/stored.ts";

const alone = { manner: "alone", within: 300 } as const;

journeys("an operator that goes away", () => {
  journey(
    "killed, all replicas at once, in an apply: the apply goes on and its result arrives",
    async (place) => {
      await applyHalfWay(place);
      await killOperators(place);
      goOn(place);
      await wentOn(place);
      await untilOperatorsAreReady(place);
    },
    alone,
  );

  journey(
    "both replicas replaced in an apply, as in an upgrade: the apply goes on and its result arrives",
    async (place) => {
      await applyHalfWay(place);
      await restartOperators(place);
      goOn(place);
      await wentOn(place);
    },
    alone,
  );

  journey(
    "gone while an apply ends: the result waits in the pod",
    async (place) => {
      const pod = await applyHalfWay(place);
      try {
        await scaleOperators(place, 0);
        await untilNoOperatorIsLeft(place);
        goOn(place);
        await place.untilLog(pod, /Apply complete/);
      } finally {
        await scaleOperators(place, 2);
      }
      await wentOn(place);
      await untilOperatorsAreReady(place);
    },
    alone,
  );

  journey(
    "its leader loses the lease: that process ends at once, before anybody tells it to",
    async (place) => {
      const replica = await takeLease(place);
      const told = await logBeforeRestart(place, replica);
      assert.match(told, /the lease is lost/);
      assert.doesNotMatch(told, /"shutting down"/);
      await untilOperatorsAreReady(place);
    },
    alone,
  );

  journey(
    "its leader frozen in an apply, and woken when another one leads: it writes nothing any more and ends, and the apply is done once",
    async (place) => {
      const from = await now(place);
      const begun = new Date();
      await applyHalfWay(place);
      // What its pod says is said: nothing of it waits in the leader that is woken.
      await untilJournalled(place, "served", "one", 3);
      await place.untilRun("one", ({ status }) => status?.progress?.current === "terraform_data.second");
      const { replica, awake } = await freezeLeader(place, async () => {
        await place.apply(anEnvironment({ name: "meanwhile", components: [{ name: "two", module: keeps("x") }] }));
        await place.untilRun("two", () => true, { about: "a Run by the new leader" });
      });
      const before = { since: begun, until: awake.since };
      assert.notEqual((await writesOf(place, from, replica, before)).length, 0, "it led");
      assert.deepEqual((await writesOf(place, from, replica, awake)).map(inShort), []);
      assert.match(await logBeforeRestart(place, replica), /is lost: not renewed for/);
      goOn(place);
      await wentOn(place);
      await place.untilReady("meanwhile");
      assert.equal((await place.runs("two")).length, 1);
      await takenDown(place);
      await untilOperatorsAreReady(place);
    },
    alone,
  );

  journey(
    "its leader killed again and again: everything is made once, and destroyed once",
    async (place) => {
      const { outside } = place;
      const names = ["base", "left", "right", "top"] as const;
      const needs = { base: [], left: ["base"], right: ["base"], top: ["left", "right"] } as const;
      const components = names.map((name) => ({
        name,
        module: `${needs[name].map((need) => `variable "${need}" {}\n`).join("")}${reports(outside.address, name)}output "done" {\n  value = "${name}"\n}\n`,
        variables: needs[name].map((need) => fromOutput(need, need, "done")),
      }));
      const storm = (async () => {
        for (const afterMs of [100, 2_000, 500, 4_000, 1_000]) await killLeader(place, afterMs);
      })();
      await place.apply(anEnvironment({ name: "stormy", components }));
      await Promise.all([storm, place.untilReady("stormy", { within: 240 })]);
      await place.delete("stormy");
      await killLeader(place, 1_500);
      await place.untilGone("stormy", { within: 120 });
      for (const name of names) {
        assert.equal(outside.count(`create/${name}`), 1, `${name} was made once`);
        assert.equal(outside.count(`destroy/${name}`), 1, `${name} was destroyed once`);
      }
      await untilOperatorsAreReady(place);
    },
    { ...alone, within: 480 },
  );
});

const inShort = ({ verb, resource, name = "", code }: Request): string => `${verb} ${resource} ${name}: ${code}`;
