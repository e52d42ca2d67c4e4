import assert from "node:assert/strict";
import type { Run } from "../../operator/api/run.ts";
import { anEnvironment } from "./support/environments.ts";
import { journeys, journeyWithEachEngine } from "./support/journey.ts";
import { keepsVariable, reports } from "./support/modules.ts";
import { conditionOf, lineOf, outputOf } from "./support/place.ts";

journeys("one component", () => {
  journeyWithEachEngine("is applied, tells its outputs, and is destroyed when it is deleted", async (place, engine) => {
    const { outside } = place;
    await place.apply(
      anEnvironment({
        name: "hello",
        engine,
        variables: [{ name: "greeting", value: "Hello, world!" }],
        components: [{ name: "greeter", module: keepsVariable("greeting") + reports(outside.address, "greeter") }],
        outputs: [{ name: "greeting", valueFrom: { output: { component: "greeter", name: "kept" } } }],
      }),
    );

    const ready = await place.untilReady("hello");
    assert.equal(outputOf(ready, "greeting"), "Hello, world!");
    assert.equal(ready.status?.summary, "1/1 ready");
    assert.equal(conditionOf(ready, "Stalled")?.status, "False");
    assert.deepEqual(lineOf("greeter")(ready)?.plan, { create: 2, update: 0, replace: 0, delete: 0 });
    assert.deepEqual(outside.heard, ["create/greeter"]);

    const [run, ...more] = await place.runs("greeter");
    assert.equal(more.length, 0, "one Run was enough");
    assert.equal(run?.status?.phase, "Succeeded");
    assert.equal(run?.status?.outcome?.result, "Applied");
    assert.equal(run?.status?.outcome?.resources, 2);
    assert.equal(run?.spec.cause.type, "Created");
    const imageOf = ({ status }: Run) => status?.pods?.[0]?.image;
    const recorded = await place.untilRun("greeter", (one) => imageOf(one) !== undefined);
    assert.match(imageOf(recorded) ?? "", /sha256:[0-9a-f]{64}$/, "the image that ran, by digest");

    await place.delete("hello");
    await place.untilGone("hello");
    assert.deepEqual(outside.heard, ["create/greeter", "destroy/greeter"]);
  });

  journeyWithEachEngine("is applied anew when its variable changes, and only then", async (place, engine) => {
    const hello = (greeting: string) =>
      anEnvironment({
        name: "hello",
        engine,
        variables: [{ name: "greeting", value: greeting }],
        components: [{ name: "greeter", module: keepsVariable("greeting") }],
        outputs: [{ name: "greeting", valueFrom: { output: { component: "greeter", name: "kept" } } }],
      });
    await place.apply(hello("one"));
    await place.untilReady("hello");
    await place.apply(hello("two"));
    const changed = await place.untilReady("hello");
    assert.equal(outputOf(changed, "greeting"), "two");
    const runs = await place.runs("greeter");
    assert.deepEqual(
      runs.map(({ spec }) => spec.cause.type),
      ["Created", "SpecChanged"],
    );
    assert.deepEqual(runs[1]?.status?.plan?.counts, { create: 0, update: 1, replace: 0, delete: 0 });
  });
});
