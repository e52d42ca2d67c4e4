import assert from "node:assert/strict";
import fc from "fast-check";
import type { Component } from "../../../operator/api/component.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { dependenciesOf } from "../../../operator/environment/graph.ts";
import { statusFor } from "../../../operator/environment/status.ts";
import { violationsOf } from "../../fakes/kstatus.ts";
import { aComponent, anEnvironment, T0 } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

/** Any graph without cycles: each component may need any of those before it. */
const acyclic: fc.Arbitrary<readonly Component[]> = fc
  .array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 9 })
  .map((wishes) =>
    wishes.map((wish, index) => {
      const needs = index === 0 ? [] : [...new Set(wish.map((number) => `c${number % index}`))];
      return aComponent(`c${index}`, { needs });
    }),
  );

/** Any graph at all, cycles included. */
const anyGraph: fc.Arbitrary<readonly Component[]> = fc
  .array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: 7 })
  .map((wishes) =>
    wishes.map((wish, index) =>
      aComponent(`c${index}`, { needs: [...new Set(wish.map((number) => `c${number % wishes.length}`))] }),
    ),
  );

type Happening =
  | {
      readonly type: "end";
      readonly which: number;
      readonly how: "Applied" | "Unchanged" | "Failed" | "Waiting" | "Interrupted";
    }
  | { readonly type: "pass"; readonly ms: number }
  | { readonly type: "edit" | "request" | "suspend" | "resume" | "delete" };

const event: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("end" as const),
      which: fc.nat(),
      how: fc.constantFrom("Applied", "Unchanged", "Failed", "Waiting", "Interrupted"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("pass" as const), ms: fc.nat(700_000) }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...(["edit", "request", "suspend", "resume"] as const)).map((type) => ({ type })),
  },
);

type Story = ReturnType<typeof aStory>;

function endOne(story: Story, which: number, how: Extract<Happening, { type: "end" }>["how"]): void {
  const open = story.openRuns();
  const run = open[which % Math.max(1, open.length)];
  if (run === undefined) return;
  const destroying = run.spec.operation === "Destroy";
  const result = destroying && (how === "Applied" || how === "Unchanged") ? "Destroyed" : how;
  story.end(run.spec.component, result, { retry: "Backoff" });
}

function happen(story: Story, happened: Happening): unknown {
  switch (happened.type) {
    case "end":
      return endOne(story, happened.which, happened.how);
    case "pass":
      return story.pass(happened.ms);
    case "edit":
      return story.edit((environment) => ({
        ...environment,
        spec: { ...environment.spec, variables: [{ name: "edited", value: environment.metadata.generation ?? 0 }] },
      }));
    case "request":
      return story.annotate({ [ANNOTATIONS.requestedAt]: String(story.started.length) });
    case "suspend":
    case "resume":
      return story.edit((environment) => ({
        ...environment,
        spec: { ...environment.spec, suspend: happened.type === "suspend" },
      }));
    case "delete":
      return story.delete();
  }
}

/** What was started in this round, by component and operation. */
function startedBy(
  story: Story,
  act: () => void,
): readonly { readonly component: string; readonly operation: string }[] {
  const before = story.started.length;
  act();
  return story.started.slice(before).map((line) => {
    const [operation = "", component = ""] = line.split(" ");
    return { operation, component };
  });
}

const numbersOf = (story: Story, component: string): readonly number[] =>
  story.runs().flatMap(({ spec }) => (spec.component === component ? [spec.number] : []));

describe("For any graph and any order of results", () => {
  it("nothing starts before all that it needs is applied and at rest", () => {
    fc.assert(
      fc.property(acyclic, fc.array(event, { maxLength: 60 }), (components, events) => {
        const story = aStory(anEnvironment(components));
        for (const happened of events) {
          happen(story, happened);
          const openBefore = new Set(story.openRuns().map(({ spec }) => spec.component));
          const satisfied = new Set(components.map(({ name }) => name).filter((name) => story.verdict(name).satisfied));
          for (const { component } of startedBy(story, () => story.round())) {
            const needs = [
              ...dependenciesOf(components.find(({ name }) => name === component) ?? aComponent(component)),
            ];
            for (const needed of needs) {
              assert.ok(satisfied.has(needed) && !openBefore.has(needed), `${component} started before ${needed}`);
            }
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it("a component has at most one open Run, and numbers only go up", () => {
    fc.assert(
      fc.property(anyGraph, fc.array(event, { maxLength: 60 }), (components, events) => {
        const story = aStory(anEnvironment(components));
        for (const happened of events) {
          happen(story, happened);
          story.round();
          const open = story.openRuns().map(({ spec }) => spec.component);
          assert.equal(new Set(open).size, open.length);
        }
        for (const { name } of components) {
          const numbers = story
            .runs()
            .filter(({ spec }) => spec.component === name)
            .map(({ spec }) => spec.number);
          assert.deepEqual(
            numbers,
            numbers.map((_, index) => index + 1),
          );
        }
      }),
      { numRuns: 150 },
    );
  });

  it("a second look without a change starts nothing", () => {
    fc.assert(
      fc.property(anyGraph, fc.array(event, { maxLength: 40 }), (components, events) => {
        const story = aStory(anEnvironment(components));
        for (const happened of events) {
          happen(story, happened);
          story.round();
          assert.deepEqual(
            startedBy(story, () => story.round()),
            [],
          );
        }
      }),
      { numRuns: 150 },
    );
  });

  it("an interrupted apply is followed by nothing but what a person has asked for, a plan for a person, or a destroy", () => {
    fc.assert(
      fc.property(acyclic, fc.array(event, { maxLength: 60 }), (components, events) => {
        const story = aStory(anEnvironment(components));
        for (const happened of events) {
          happen(story, happened);
          const cutOff = new Map(
            story.runs().flatMap(({ spec, status }) => {
              const isLast = spec.number === Math.max(...numbersOf(story, spec.component));
              return isLast && status?.phase === "Interrupted" ? [[spec.component, spec] as const] : [];
            }),
          );
          const known = new Set(story.runs().map(({ metadata }) => metadata.name));
          story.round();
          for (const { metadata, spec } of story.runs()) {
            const before = cutOff.get(spec.component);
            if (known.has(metadata.name) || before?.operation !== "Apply" || spec.operation === "Destroy") continue;
            assert.ok(spec.rules?.approval?.required === 1 || spec.request !== before.request);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it("destroying is the reverse of applying, whatever happened before", () => {
    fc.assert(
      fc.property(acyclic, fc.array(event, { maxLength: 40 }), (components, events) => {
        const story = aStory(anEnvironment(components));
        for (const happened of events) {
          happen(story, happened);
          story.round();
        }
        story.edit((environment) => ({ ...environment, spec: { ...environment.spec, suspend: false } }));
        story.delete();
        for (let rounds = 0; story.decision().type !== "letGo" && rounds < 200; rounds += 1) {
          const destroyed = startedBy(story, () => story.round()).filter(({ operation }) => operation === "Destroy");
          for (const { component } of destroyed) {
            const users = components.filter((user) => dependenciesOf(user).has(component));
            for (const { name } of users) {
              const record = story.records.get(name);
              const usedIt = (record?.attempted ?? record?.applied)?.inputs.dependsOn.includes(component) ?? false;
              assert.ok(!(record?.mayHoldObjects && usedIt), `${component} goes before ${name}`);
            }
          }
          for (const { spec } of story.openRuns())
            story.end(spec.component, spec.operation === "Apply" ? "Applied" : "Destroyed");
          story.pass(600_000);
        }
        assert.equal(story.decision().type, "letGo");
        assert.ok(
          [...story.records.values()].every(({ mayHoldObjects }) => !mayHoldObjects),
          "nothing is orphaned",
        );
      }),
      { numRuns: 150 },
    );
  });

  it("the status says what kstatus expects, and the same twice", () => {
    fc.assert(
      fc.property(anyGraph, fc.array(event, { maxLength: 40 }), (components, events) => {
        const story = aStory(anEnvironment(components));
        for (const happened of events) {
          happen(story, happened);
          const decision = story.round();
          const status = statusFor(story.environment(), decision, { lines: [] }, new Date(T0));
          assert.deepEqual(status, statusFor(story.environment(), decision, { lines: [] }, new Date(T0)));
          if (status === undefined) continue;
          const object = { ...story.environment(), status };
          assert.deepEqual(violationsOf(object), []);
          const is = (type: string) =>
            status.conditions?.find((condition) => condition.type === type)?.status === "True";
          if (!is("Ready") && !story.environment().spec.suspend)
            assert.ok(is("Reconciling") || is("Stalled"), "somebody's turn it is");
          assert.ok(JSON.stringify(status).length < 32_768);
        }
      }),
      { numRuns: 150 },
    );
  });
});
