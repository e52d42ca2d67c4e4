import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type EnvironmentStatus,
  environmentStatus,
  MOST_COMPONENTS,
} from "../../../operator/api/environment-status.ts";
import { statusFor } from "../../../operator/environment/status.ts";
import { aComponent, anEnvironment, anOutput, T0 } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";
import { aVerdict } from "./verdicts.ts";

const now = new Date(T0);

/** Whatever does not fit is refused by the API server, so that people go on seeing what was written before. */
function assertFits(status: EnvironmentStatus | undefined): EnvironmentStatus {
  assert.ok(status !== undefined);
  assert.deepEqual(environmentStatus.safeParse(status).error?.issues ?? [], []);
  return status;
}

const named = (letter: string) => Array.from({ length: 64 }, (_, index) => aComponent(`${letter}${index}`));
const namesOf = ({ components = [] }: EnvironmentStatus) => components.map(({ name }) => name);

describe("A status that fits its schema", () => {
  it("comes of any messages, and of any trouble with the outputs", () => {
    const message = fc.string({ unit: "binary", maxLength: 1_500, size: "max" });
    const environment = anEnvironment([aComponent("a"), aComponent("b")]);
    const states = fc.constantFrom(...(["Ready", "AwaitingApproval", "Failed", "Stalled", "Applying"] as const));
    fc.assert(
      fc.property(states, message, message, (state, said, told) => {
        const verdicts = [aVerdict("a", state, "PlanFailed", { message: said }), aVerdict("b", "Ready", "Applied")];
        const published = { lines: [], error: new Error(told) };
        for (const outcome of [{ lines: [] }, published])
          assertFits(statusFor(environment, { type: "converge", verdicts }, outcome, now));
      }),
      { numRuns: 50 },
    );
  });

  it("comes of a promise of an output that a component with very many others does not have", () => {
    const outputs = [{ name: "url", valueFrom: { output: { component: "network", name: "urll" } } }];
    const story = aStory(anEnvironment([aComponent("network")], { spec: { outputs } }));
    story.settle({ network: Array.from({ length: 70 }, (_, index) => anOutput(`private_subnet_id_${index}`)) });
    const status = assertFits(statusFor(story.environment(), story.round(), { lines: [] }, now));
    const ready = status.conditions?.find(({ type }) => type === "Ready");
    assert.equal(ready?.reason, "OutputMissing");
    assert.match(ready?.message ?? "", /it has private_subnet_id_0, .*, private_subnet_id_11, and 58 more$/);
  });

  it("comes of renames of everything, twice: with all that is declared, and as many removed ones as there is room for", () => {
    const story = aStory(anEnvironment(named("a")));
    story.settle();
    for (const letter of ["b", "c"]) {
      story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: named(letter) } }));
      story.settle();
    }
    const shown = namesOf(assertFits(statusFor(story.environment(), story.round(), { lines: [] }, now)));
    assert.equal(shown.length, MOST_COMPONENTS);
    assert.deepEqual(
      shown.filter((name) => name.startsWith("c")),
      named("c").map(({ name }) => name),
    );
  });

  it("remembers which removed components are to be kept before it shows other ones", () => {
    const removed = Array.from({ length: 128 }, (_, index) => aVerdict(`old-${index}`, "Destroying", "Destroying"));
    const kept = { name: "old-127", state: "Destroying", deletionPolicy: "Retain" } as const;
    const environment = anEnvironment([aComponent("a")], { status: { observedGeneration: 1, components: [kept] } });
    const verdicts = [aVerdict("a", "Ready", "Applied"), ...removed];
    const status = assertFits(statusFor(environment, { type: "converge", verdicts }, { lines: [] }, now));
    const last = status.components?.at(-1);
    assert.deepEqual([last?.name, last?.deletionPolicy], ["old-127", "Retain"]);
  });
});
