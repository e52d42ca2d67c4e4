import assert from "node:assert/strict";
import { anEnvironment, type Engine, fromOutput } from "./support/environments.ts";
import { journey, journeys, journeyWithEachEngine } from "./support/journey.ts";
import { keeps, reports } from "./support/modules.ts";
import { conditionOf, lineOf, outputOf, type Place } from "./support/place.ts";

/** Reports its name, takes the outputs of what it needs, and gives a text that holds them. */
function link(place: Place, name: string, needs: readonly string[] = []) {
  const variables = needs.map((need) => `variable "from_${need}" {}\n`).join("");
  const text = [name, ...needs.map((need) => `\${var.from_${need}}`)].join("+");
  return {
    name,
    module: `${variables}${reports(place.outside.address, name)}
output "chain" {
  value      = "(${text})"
  depends_on = [terraform_data.${name}]
}
`,
    variables: needs.map((need) => fromOutput(`from_${need}`, need, "chain")),
  };
}

function diamond(place: Place, engine: Engine, more: object = {}) {
  return anEnvironment({
    name: "diamond",
    engine,
    components: [
      link(place, "top", ["left", "right"]),
      link(place, "right", ["base"]),
      link(place, "left", ["base"]),
      link(place, "base"),
    ],
    outputs: [{ name: "chain", valueFrom: { output: { component: "top", name: "chain" } } }],
    ...more,
  });
}

journeys("several components", () => {
  journeyWithEachEngine(
    "a diamond is applied in order, in parallel where it can be, and destroyed in reverse",
    async (place, engine) => {
      const { outside } = place;
      outside.hold("create/left");
      outside.hold("create/right");
      await place.apply(diamond(place, engine));

      // Both sides are at work at once, and what needs them waits.
      await Promise.all([outside.arrival("create/left"), outside.arrival("create/right")]);
      await place.untilComponent(
        "diamond",
        "top",
        ({ state, message }) => state === "Blocked" && /left.*right/.test(message ?? ""),
      );
      assert.equal(outside.count("create/top"), 0);
      outside.release("create/left");
      outside.release("create/right");

      const ready = await place.untilReady("diamond");
      assert.equal(outputOf(ready, "chain"), "(top+(left+(base))+(right+(base)))");
      assert.equal(ready.status?.summary, "4/4 ready");
      assert.equal((await place.runs()).length, 4, "one Run for each component");
      assert.equal(outside.heard[0], "create/base");
      assert.equal(outside.heard.at(-1), "create/top");

      outside.hold("destroy/top");
      await place.delete("diamond");
      await outside.arrival("destroy/top");
      assert.equal(outside.heard.filter((what) => what.startsWith("destroy/")).length, 1, "the others wait");
      outside.release("destroy/top");
      await place.untilGone("diamond");
      const destroyed = outside.heard.filter((what) => what.startsWith("destroy/"));
      assert.equal(destroyed[0], "destroy/top");
      assert.deepEqual(destroyed.slice(1, 3).sort(), ["destroy/left", "destroy/right"]);
      assert.equal(destroyed[3], "destroy/base");
    },
  );

  journeyWithEachEngine("a failure blocks only what depends on it", async (place, engine) => {
    const { outside } = place;
    outside.refuse("create/left");
    await place.apply(diamond(place, engine, { retry: { limit: 0 } }));
    const left = await place.untilComponent("diamond", "left", ({ state }) => state === "Failed");
    assert.match(left.message ?? "", /terraform_data\.left/);
    const environment = await place.until("diamond", (one) => lineOf("right")(one)?.state === "Ready");
    assert.equal(lineOf("base")(environment)?.state, "Ready");
    const top = await place.untilComponent("diamond", "top", ({ state }) => state === "Blocked");
    assert.match(top.message ?? "", /left \(Failed\)/);
    assert.equal((await place.runs("top")).length, 0);

    outside.accept("create/left");
    await place.request("diamond");
    const ready = await place.untilReady("diamond", { within: 120 });
    assert.equal(ready.status?.summary, "4/4 ready");
    assert.equal(outside.count("create/right"), 1, "what was applied was not made again");
  });

  journeyWithEachEngine("a changed output makes Runs for what uses it, and for nothing else", async (place, engine) => {
    const chain = (text: string) =>
      anEnvironment({
        name: "chain",
        engine,
        components: [
          { name: "first", module: keeps(text) },
          {
            name: "second",
            module: `variable "given" {}\n${keeps("fixed")}`,
            variables: [fromOutput("given", "first", "kept")],
          },
          { name: "third", module: keeps("alone") },
        ],
      });
    await place.apply(chain("one"));
    await place.untilReady("chain");
    await place.apply(chain("two"));
    await place.untilReady("chain");
    const runs = await place.runs();
    const causes = (name: string) =>
      runs.filter(({ spec }) => spec.component === name).map(({ spec }) => spec.cause.type);
    assert.deepEqual(causes("first"), ["Created", "SpecChanged"]);
    assert.deepEqual(causes("second"), ["Created", "OutputsChanged"]);
    assert.deepEqual(causes("third"), ["Created"]);
  });

  journey("a circle of dependencies is Stalled and named, and the rest is applied", async (place) => {
    const needs = (name: string, ...dependsOn: string[]) => ({ name, module: keeps(name), dependsOn });
    await place.apply(
      anEnvironment({ name: "circle", components: [needs("a", "c"), needs("b", "a"), needs("c", "b"), needs("free")] }),
    );
    const a = await place.untilReason("circle", "a", "DependencyCycle");
    assert.match(a.message ?? "", /a.*→|→.*a/);
    await place.untilComponent("circle", "free", ({ state }) => state === "Ready");
    assert.equal((await place.runs("a")).length, 0);
  });

  journey("an output that a component does not have stalls who asks, and names both", async (place) => {
    const asking = (output: string, promise: string) =>
      anEnvironment({
        name: "asking",
        outputs: [{ name: "promise", valueFrom: { output: { component: "giver", name: promise } } }],
        components: [
          { name: "giver", module: keeps("x") },
          {
            name: "taker",
            module: `variable "given" {}\n${keeps("y")}`,
            variables: [fromOutput("given", "giver", output)],
          },
        ],
      });
    await place.apply(asking("nothing", "kept"));
    const taker = await place.untilReason("asking", "taker", "OutputMissing");
    assert.equal(taker.state, "Stalled");
    assert.match(taker.message ?? "", /giver.*nothing|nothing.*giver/);
    const stalled = await place.until(
      "asking",
      (one) => one.status?.conditions?.some(({ type, status }) => type === "Stalled" && status === "True") ?? false,
    );
    assert.equal(stalled.status?.conditions?.find(({ type }) => type === "Ready")?.reason, "OutputMissing");
    await place.apply(asking("kept", "nothing"));
    const broken = await place.until("asking", (one) =>
      /outputs\[promise\]/.test(conditionOf(one, "Ready")?.message ?? ""),
    );
    assert.equal(conditionOf(broken, "Stalled")?.reason, "OutputMissing");
    assert.equal(lineOf("giver")(broken)?.state, "Ready");
    await place.apply(asking("kept", "kept"));
    await place.untilReady("asking");
  });
});
