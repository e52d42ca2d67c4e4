import assert from "node:assert/strict";
import fc from "fast-check";
import type { Component } from "../../../operator/api/component.ts";
import type { Environment, EnvironmentSpec } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { Window } from "../../../operator/api/time.ts";
import { dependenciesOf } from "../../../operator/environment/graph.ts";
import { isDestroyedAsleep } from "../../../operator/environment/sleeping.ts";
import { statusFor } from "../../../operator/environment/status.ts";
import { overrideOf } from "../../../operator/schedule/gate.ts";
import { isExpired } from "../../../operator/schedule/lifetime.ts";
import { sleepAt } from "../../../operator/schedule/sleep.ts";
import { windowsAt } from "../../../operator/schedule/windows.ts";
import { type KObject, violationsOf } from "../../fakes/kstatus.ts";
import { aComponent, aLifetime, anEnvironment, T0 } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

const HOUR_MS = 3_600_000;

type Story = ReturnType<typeof aStory>;

const hourly = fc.record({
  type: fc.constantFrom("Allow" as const, "Deny" as const),
  hour: fc.integer({ min: 0, max: 23 }),
  hours: fc.integer({ min: 1, max: 12 }),
});

const windows: fc.Arbitrary<readonly Window[]> = fc.array(hourly, { maxLength: 3 }).map((drawn) =>
  drawn.map(({ type, hour, hours }, index) => ({
    name: `w${index}`,
    type,
    schedule: `0 ${hour} * * *`,
    duration: `${hours}h`,
    timeZone: "UTC",
  })),
);

/** Each may need those before it; whoever uses one that is destroyed asleep is so, too, as admission sees to. */
const components: fc.Arbitrary<readonly Component[]> = fc
  .array(fc.record({ wish: fc.array(fc.nat(), { maxLength: 3 }), sleeps: fc.nat(3) }), { minLength: 1, maxLength: 6 })
  .map((drawn) => {
    const made: Component[] = [];
    for (const [index, { wish, sleeps }] of drawn.entries()) {
      const needs = index === 0 ? [] : [...new Set(wish.map((number) => `c${number % index}`))];
      const mustGo = made.some((one) => needs.includes(one.name) && isDestroyedAsleep(one));
      const scaled = { sleep: { variables: [{ name: "size", value: 0 }] } };
      const how = mustGo || sleeps === 1 ? { sleep: { destroy: true } } : sleeps === 2 ? scaled : {};
      made.push(aComponent(`c${index}`, { needs, ...how }));
    }
    return made;
  });

const spec: fc.Arbitrary<Partial<EnvironmentSpec>> = fc.record({
  windows: windows.map((list) => [...list]),
  lifetime: fc.record({ days: fc.integer({ min: 1, max: 4 }), asleep: fc.nat(23), awake: fc.nat(23) }).map((drawn) => ({
    ...aLifetime({ ttl: `${drawn.days * 24}h` }),
    sleep: { schedule: `0 ${drawn.asleep} * * *`, wake: `0 ${drawn.awake} * * *`, timeZone: "UTC" },
  })),
});

type Happening =
  | { readonly type: "end"; readonly which: number; readonly well: boolean }
  | { readonly type: "pass"; readonly ms: number }
  | { readonly type: "extend" | "override" | "edit" | "suspend" | "resume" };

const event: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant("end" as const), which: fc.nat(), well: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("pass" as const), ms: fc.nat(9 * HOUR_MS) }) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(...(["extend", "override", "edit", "suspend", "resume"] as const))
      .map((type) => ({ type })),
  },
);

/** A story with a clock that can be read. */
function timed(environment: Environment) {
  const story = aStory(environment);
  let nowMs = T0;
  const edit = (change: Partial<EnvironmentSpec>) =>
    story.edit((before) => ({ ...before, spec: { ...before.spec, ...change } }));
  const happen = (happened: Happening): unknown => {
    switch (happened.type) {
      case "end":
        return endOne(story, happened.which, happened.well);
      case "pass":
        nowMs += happened.ms;
        return story.pass(happened.ms);
      case "extend":
        return story.annotate({ [ANNOTATIONS.extendUntil]: new Date(nowMs + 24 * HOUR_MS).toISOString() });
      case "override":
        return story.annotate({ [ANNOTATIONS.windowOverride]: "because" });
      case "edit":
        return edit({ variables: [{ name: "edited", value: story.environment().metadata.generation ?? 0 }] });
      case "suspend":
      case "resume":
        return edit({ suspend: happened.type === "suspend" });
    }
  };
  return { story, happen, edit, now: () => nowMs };
}

function endOne(story: Story, which: number, well: boolean): void {
  const open = story.openRuns();
  const run = open[which % Math.max(1, open.length)];
  if (run === undefined) return;
  const done = run.spec.operation === "Destroy" ? "Destroyed" : "Applied";
  story.end(run.spec.component, well ? done : "Failed", { retry: "Backoff" });
}

function startedBy(story: Story): readonly { readonly operation: string; readonly component: string }[] {
  const before = story.started.length;
  story.round();
  return story.started.slice(before).map((line) => {
    const [operation = "", component = ""] = line.split(" ");
    return { operation, component };
  });
}

const told = fc.tuple(components, spec, fc.array(event, { maxLength: 40 }));

describe("For any windows, lifetime and sleep, and any order of events", () => {
  it("nothing begins outside of the windows without a reason, nor while it is suspended", () => {
    fc.assert(
      fc.property(told, ([list, how, events]) => {
        const { story, happen, now } = timed(anEnvironment(list, { spec: how }));
        for (const happened of events) {
          happen(happened);
          const environment = story.environment();
          const closed = windowsAt(environment.spec.windows ?? [], now()).state !== "open";
          const started = startedBy(story);
          if (closed && overrideOf(environment) === undefined) assert.deepEqual(started, []);
          if (environment.spec.suspend) assert.deepEqual(started, []);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("nothing is applied after the end or in its sleep, and nothing is destroyed otherwise", () => {
    fc.assert(
      fc.property(told, ([list, how, events]) => {
        const { story, happen, now } = timed(anEnvironment(list, { spec: how }));
        for (const happened of events) {
          happen(happened);
          const environment = story.environment();
          const over = isExpired(environment, now());
          const asleep = sleepAt(environment.spec.lifetime?.sleep, now()).state === "asleep";
          for (const { operation, component } of startedBy(story)) {
            const goes = list.some((one) => one.name === component && asleep && isDestroyedAsleep(one));
            assert.equal(operation, over || goes ? "Destroy" : "Apply", component);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("nothing is destroyed before its users are gone, and nothing applied before what it needs", () => {
    fc.assert(
      fc.property(told, ([list, how, events]) => {
        const { story, happen } = timed(anEnvironment(list, { spec: how }));
        for (const happened of events) {
          happen(happened);
          const decision = story.decision();
          const verdicts = "verdicts" in decision ? decision.verdicts : [];
          const satisfied = new Map(verdicts.map((verdict) => [verdict.name, verdict.satisfied]));
          for (const { operation, component } of startedBy(story)) {
            const own = list.find(({ name }) => name === component) ?? aComponent(component);
            const users = list.filter((user) => dependenciesOf(user).has(component));
            if (operation === "Apply") assert.ok([...dependenciesOf(own)].every((needed) => satisfied.get(needed)));
            for (const { name } of operation === "Destroy" ? users : []) {
              const record = story.records.get(name);
              const usedIt = (record?.attempted ?? record?.applied)?.inputs.dependsOn.includes(component) ?? false;
              assert.ok(!(record?.mayHoldObjects && usedIt), `${component} goes before ${name}`);
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("a second look starts nothing, and the status is one that tools understand", () => {
    fc.assert(
      fc.property(told, ([list, how, events]) => {
        const { story, happen, now } = timed(anEnvironment(list, { spec: how }));
        for (const happened of events) {
          happen(happened);
          const decision = story.round();
          assert.deepEqual(startedBy(story), []);
          const status = statusFor(story.environment(), decision, { lines: [] }, new Date(now()));
          assert.ok(status !== undefined);
          const { metadata } = story.environment();
          assert.deepEqual(violationsOf({ kind: "Environment", metadata, status } as KObject), []);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("the end of all is an empty cloud, once everything may happen, whatever happened before", () => {
    fc.assert(
      fc.property(told, ([list, how, events]) => {
        const { story, happen, edit } = timed(anEnvironment(list, { spec: how }));
        for (const happened of events) {
          happen(happened);
          story.round();
        }
        edit({ suspend: false, windows: [], lifetime: aLifetime({ until: "2020-01-01T00:00:00Z" }) });
        story.annotate({ [ANNOTATIONS.extendUntil]: "" });
        for (let rounds = 0; rounds < 40; rounds += 1) {
          story.pass(HOUR_MS);
          story.settle();
        }
        assert.equal(story.records.size, 0);
        assert.equal(story.decision().type, "expire");
      }),
      { numRuns: 40 },
    );
  });
});
