import assert from "node:assert/strict";
import fc from "fast-check";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { isClosed } from "../../../operator/environment/observation.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { conditionOf, HOUR, hourly, MINUTE, type Story, watching, whenDue } from "./drift-story.ts";
import { aStory } from "./story.ts";

describe("A component with an interval", () => {
  it("is looked at when the interval has passed since it was applied, and not before", () => {
    const story = watching();
    story.pass(0.89 * HOUR);
    story.round();
    assert.deepEqual(story.started, []);
    story.pass(0.22 * HOUR);
    story.round();
    assert.deepEqual(story.started, ["Check network #2", "Check app #2"]);
  });

  it("says when it comes back, at a moment that is its own", () => {
    const story = watching();
    const [network, app] = ["network", "app"].map((name) => (story.verdict(name).wakeAtMs ?? 0) - story.now());
    for (const ms of [network, app]) assert.ok(ms !== undefined && Math.abs(ms - HOUR) <= 0.1 * HOUR);
    assert.notEqual(network, app);
    assert.equal(story.verdict("network").wakeAtMs, story.verdict("network").wakeAtMs);
  });

  it("is looked at once, with the module and the values that were applied, and with the means that are declared now", () => {
    const story = watching({ interval: "1h", ignore: [{ attributes: ["tags"] }] });
    story.edit((environment) => ({
      ...environment,
      spec: { ...environment.spec, timeouts: { plan: "2m", apply: "9m" } },
    }));
    whenDue(story);
    story.round();
    assert.equal(story.started.length, 2);
    const [check] = story.openChecks();
    const applied = story.records.get("network")?.applied;
    assert.equal(check?.spec.desiredDigest, applied?.desiredDigest);
    assert.deepEqual(check?.spec.inputs.source, applied?.inputs.source);
    assert.deepEqual(check?.spec.inputs.timeouts, { plan: "2m", apply: "9m" });
    assert.deepEqual(check?.spec.drift, { ignore: [{ attributes: ["tags"] }] });
    assert.equal(check?.spec.cause.type, "Drift");
  });

  it("is looked at again an interval after the last look, or after any other plan", () => {
    const story = watching();
    whenDue(story);
    for (const name of ["network", "app"]) story.endCheck(name, "Unchanged");
    story.pass(0.5 * HOUR);
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.settle();
    story.started.length = 0;
    story.pass(0.6 * HOUR);
    story.round();
    assert.deepEqual(story.started, []);
    whenDue(story);
    assert.deepEqual(story.started, ["Check network #4", "Check app #4"]);
  });

  it("is ready and satisfied while somebody looks, whatever comes of it", () => {
    for (const result of ["Unchanged", "Drifted", "Failed", "Waiting", "Cancelled"] as const) {
      const story = watching();
      whenDue(story);
      assert.deepEqual([story.verdict("network").state, story.verdict("network").satisfied], ["Ready", true]);
      story.endCheck("network", result);
      assert.deepEqual([story.verdict("network").state, story.verdict("network").satisfied], ["Ready", true], result);
      assert.equal(conditionOf(story, "Ready")?.status, "True", result);
      assert.equal(conditionOf(story, "Reconciling")?.status, "False", result);
    }
  });

  it("does not make a change wait, nor a dependent", () => {
    const story = watching();
    whenDue(story);
    story.edit((environment) => ({
      ...environment,
      spec: { ...environment.spec, variables: [{ name: "a", value: 1 }] },
    }));
    story.round();
    assert.deepEqual(story.started.slice(2), ["Apply network #3"]);
    story.end("network", "Applied");
    story.round();
    assert.deepEqual(story.started.slice(3), ["Apply app #3"]);
    assert.equal(story.openChecks().length, 2);
  });

  it("is tried ever less often while looking fails, and at the usual interval after it has worked", () => {
    const story = watching(hourly, ["network"]);
    const waits: number[] = [];
    for (const result of ["Failed", "Failed", "Waiting", "Unchanged"] as const) {
      whenDue(story);
      while (story.openChecks().length === 0) whenDue(story);
      story.endCheck("network", result);
      waits.push(Math.round(((story.verdict("network").wakeAtMs ?? 0) - story.now()) / HOUR));
    }
    assert.deepEqual(waits, [2, 4, 8, 1]);
    const attempts = story
      .runs()
      .filter(({ spec }) => spec.operation === "Check")
      .map(({ spec }) => spec.attempt);
    assert.deepEqual(attempts, [0, 1, 2, 3]);
  });

  it("keeps its tries and its number of tries when looking fails", () => {
    const story = watching(hourly, ["network"]);
    whenDue(story);
    story.endCheck("network", "Failed", { retry: "Never" });
    story.edit((environment) => ({
      ...environment,
      spec: { ...environment.spec, variables: [{ name: "a", value: 1 }] },
    }));
    story.round();
    const apply = story.openRuns().find(({ spec }) => spec.operation === "Apply");
    assert.equal(apply?.spec.attempt, 0);
    assert.equal(apply?.spec.cause.type, "SpecChanged");
  });
});

describe("Nobody looks", () => {
  const never = (story: Story): void => {
    for (let hours = 0; hours < 50; hours += 1) whenDue(story);
    assert.deepEqual(story.started, []);
  };

  it("where no interval is declared", () => never(watching({})));

  it("at a component that says so itself", () => {
    const components = [aComponent("network", { drift: {} }), aComponent("app", { drift: { interval: "1m" } })];
    const story = aStory(anEnvironment(components, { spec: { drift: hourly } }));
    story.settle();
    story.started.length = 0;
    story.pass(2 * MINUTE);
    story.round();
    assert.deepEqual(story.started, ["Check app #2"]);
    story.pass(9 * HOUR);
    story.round();
    assert.equal(story.started.length, 1);
  });

  it("while the Environment is suspended", () => {
    const story = watching();
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, suspend: true } }));
    never(story);
  });

  it("at what is changed, has failed, or waits for a person", () => {
    const story = watching(hourly, ["network"]);
    story.edit((environment) => ({
      ...environment,
      spec: { ...environment.spec, variables: [{ name: "a", value: 1 }] },
    }));
    story.round();
    story.pass(9 * HOUR);
    story.round();
    story.end("network", "Interrupted");
    story.pass(9 * HOUR);
    story.round();
    assert.deepEqual(story.started, ["Apply network #2", "Apply network #3"]);
  });

  it("at what is being destroyed", () => {
    const story = watching();
    story.pass(9 * HOUR);
    story.delete();
    story.round();
    assert.deepEqual(story.started, ["Destroy app #2"]);
  });
});

describe("For any order of looks and changes", () => {
  const happening = fc.oneof(
    { weight: 4, arbitrary: fc.nat(3 * HOUR).map((ms) => ({ type: "pass" as const, ms })) },
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constant("look" as const),
        how: fc.constantFrom("Unchanged", "Drifted", "Failed", "Waiting", "Cancelled"),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.constantFrom("Applied", "Unchanged", "Failed").map((how) => ({ type: "end" as const, how })),
    },
    { weight: 1, arbitrary: fc.constantFrom("edit" as const, "request" as const).map((type) => ({ type })) },
  );
  type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

  const happen = (story: Story, happened: Happening): unknown => {
    switch (happened.type) {
      case "pass":
        return story.pass(happened.ms);
      case "look": {
        const [check] = story.openChecks();
        return check === undefined ? undefined : story.endCheck(check.spec.component, happened.how as never);
      }
      case "end": {
        const run = story.openRuns().find(({ spec }) => spec.operation === "Apply");
        return run === undefined
          ? undefined
          : story.end(run.spec.component, happened.how as never, { retry: "Backoff" });
      }
      case "edit":
        return story.edit((environment) => ({
          ...environment,
          spec: { ...environment.spec, variables: [{ name: "edited", value: environment.metadata.generation ?? 0 }] },
        }));
      case "request":
        return story.annotate({ [ANNOTATIONS.requestedAt]: String(story.now()) });
    }
  };
  const changes = (story: Story) =>
    story.started.filter((line) => !line.startsWith("Check")).map((line) => line.replace(/#.*/, ""));

  it("the same is started for changes, in the same order, as if nobody looked", () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), (events) => {
        const [watched, unwatched] = [watching(), watching({})];
        for (const happened of events) {
          for (const story of [watched, unwatched]) {
            happen(story, happened);
            story.round();
          }
        }
        assert.deepEqual(changes(watched), changes(unwatched));
        for (const name of ["network", "app"])
          assert.equal(watched.verdict(name).satisfied, unwatched.verdict(name).satisfied);
      }),
      { numRuns: 200 },
    );
  });

  it("a component has at most one open Check, which begins only when it is satisfied and has an interval", () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), (events) => {
        const story = watching();
        for (const happened of events) {
          happen(story, happened);
          const satisfied = new Set(["network", "app"].filter((name) => story.verdict(name).satisfied));
          const before = story.started.length;
          story.round();
          for (const line of story.started.slice(before).filter((text) => text.startsWith("Check")))
            assert.ok(satisfied.has(line.split(" ")[1] ?? ""), line);
          const open = story.openChecks().map(({ spec }) => spec.component);
          assert.equal(new Set(open).size, open.length);
        }
        const numbers = story.runs().map(({ spec }) => `${spec.component} ${spec.number}`);
        assert.equal(new Set(numbers).size, numbers.length, "no number is used twice");
        assert.ok(story.runs().every((run) => run.spec.operation !== "Check" || run.spec.drift !== undefined));
        assert.ok(story.runs().some(isClosed));
      }),
      { numRuns: 200 },
    );
  });
});
