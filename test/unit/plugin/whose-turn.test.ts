import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import type { Decision } from "../../../operator/environment/decide.ts";
import { statusFor } from "../../../operator/environment/status.ts";
import { diagnosis } from "../../../plugin/reading/diagnosis.ts";
import { type Picture, pictureOf } from "../../../plugin/reading/picture.ts";
import { aComponent, anEnvironment, T0 } from "../../fakes/objects.ts";
import { aVerdict } from "../environment/verdicts.ts";

/** What the plugin makes of the status that the operator writes for this decision. */
function pictureAfter(decision: Decision, spec: Partial<EnvironmentSpec> = {}): Picture {
  const environment = anEnvironment([aComponent("database"), aComponent("app")], { spec });
  const status = statusFor(environment, decision, { lines: [] }, new Date(T0));
  assert.ok(status !== undefined);
  return pictureOf({ ...environment, status }, []);
}

const applied = (name: string) => aVerdict(name, "Ready", "Applied", { satisfied: true });
const converge = (...verdicts: Extract<Decision, { type: "converge" }>["verdicts"]): Decision => ({
  type: "converge",
  verdicts,
});

function told(picture: Picture): readonly (readonly [level: string, says: string])[] {
  const facts = { context: "c", server: "s", version: "v1.35.4", kinds: ["environments"], user: "jane" };
  const findings = diagnosis({
    ...facts,
    namespace: "team",
    operator: "hidden",
    rights: [],
    pictures: [picture],
    focus: true,
    nowMs: T0,
  });
  return findings.filter(({ about }) => about === "environment").map(({ level, says }) => [level, says]);
}

const waitsFor = ({ components }: Picture) => components.map(({ waiting }) => waiting?.for);

describe("whose turn it is", () => {
  it("is a person's where every component is well, and the Environment's own spec is wrong", () => {
    const outputs = [{ name: "url", valueFrom: { output: { component: "database", name: "endpoint" } } }];
    const picture = pictureAfter(converge(applied("database"), applied("app")), { outputs });
    assert.deepEqual([picture.ready, picture.stalled, picture.reconciling], [false, true, false]);
    assert.deepEqual(told(picture), [
      ["bad", "shop: spec.outputs[url]: component database has no output endpoint; it has none"],
    ]);
  });

  it("is a person's where a Run that is under way cannot go on without one, with what to do", () => {
    const stuck = aVerdict("database", "Planning", "ForeignPod", { message: "the pod shop-1 is in the way" });
    const picture = pictureAfter(converge(stuck, applied("app")));
    assert.deepEqual(waitsFor(picture), ["person", undefined]);
    assert.deepEqual(told(picture), [
      [
        "bad",
        "shop/database: the pod shop-1 is in the way. A pod that the operator did not make has the name of the runner pod: delete it.",
      ],
    ]);
  });

  it("is nobody's once the lifetime is over, and nothing is left", () => {
    const gone = (name: string) => aVerdict(name, "Destroyed", "Destroyed");
    const picture = pictureAfter({ type: "expire", deletesObject: false, verdicts: [gone("database"), gone("app")] });
    assert.deepEqual([picture.ready, picture.stalled, picture.reconciling], [false, false, false]);
    const [[level, says] = []] = told(picture);
    assert.equal(level, "warn");
    assert.match(says ?? "", /^shop is not Ready, and rests: the lifetime ended/);
  });

  for (const [reason, wakeAtMs] of [
    ["GitHostUnknown", T0 + 60_000],
    ["StepRefused", 0],
  ] as const) {
    it(`is time's after ${reason}, which the operator looks at again whatever happens`, () => {
      const failed = aVerdict("database", "Failed", reason, { message: "no answer", wakeAtMs });
      const picture = pictureAfter(converge(failed, applied("app")));
      assert.deepEqual([picture.stalled, picture.reconciling], [false, true]);
      assert.deepEqual(waitsFor(picture), ["time", undefined]);
      const [whole, failing, ...more] = told(picture);
      assert.deepEqual(whole, ["warn", "shop is not Ready, and goes on by itself: database: no answer"]);
      assert.equal(failing?.[0], "warn");
      assert.match(failing?.[1] ?? "", /^shop\/database: no answer\. .* again by itself\.$/);
      assert.deepEqual(more, []);
    });
  }

  it("is told for each of several components, whatever the others do", () => {
    const givenUp = aVerdict("database", "Failed", "ConfigurationInvalid", { retries: 1 });
    const unreached = aVerdict("app", "Failed", "GitHostUnknown", { wakeAtMs: T0 + 60_000 });
    const picture = pictureAfter(converge(givenUp, unreached));
    assert.equal(picture.stalled, true);
    assert.deepEqual(waitsFor(picture), ["person", "time"]);
  });

  it("is time's while the next try is awaited", () => {
    const failed = aVerdict("database", "Failed", "PlanFailed", { retries: 1, wakeAtMs: T0 + 60_000 });
    const picture = pictureAfter(converge(failed, applied("app")));
    assert.deepEqual(picture.components[0]?.waiting, {
      for: "time",
      what: "database says PlanFailed",
      since: new Date(T0 + 60_000).toISOString(),
      behind: [],
    });
  });
});
