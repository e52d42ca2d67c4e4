import assert from "node:assert/strict";
import { anEnvironment, type Engine } from "./support/environments.ts";
import { journey, journeys, journeyWithEachEngine } from "./support/journey.ts";
import { reports } from "./support/modules.ts";
import type { Place } from "./support/place.ts";
import { states } from "./support/states.ts";

interface Rules {
  readonly protect?: readonly string[];
  readonly maxDeletes?: number;
}

const holding = ({ outside }: Place, things: readonly string[], rules: Rules, engine: Engine = "opentofu") =>
  anEnvironment({
    name: "dear",
    engine,
    ...rules,
    components: [{ name: "one", module: things.map((thing) => reports(outside.address, thing)).join("") }],
  });

const destroyed = ({ outside }: Place) => outside.heard.filter((what) => what.startsWith("destroy/"));

journeys("rules about plans", () => {
  journeyWithEachEngine(
    "what is protected outlives its declaration and its Environment, until somebody lifts that",
    async (place, engine) => {
      const rules = { protect: ["terraform_data.first"] };
      await place.apply(holding(place, ["first", "second"], rules, engine));
      await place.untilReady("dear");
      await place.apply(holding(place, ["second"], rules, engine));
      const line = await place.untilReason("dear", "one", "Protected");
      assert.equal(line.state, "Failed");
      assert.match(line.message ?? "", /terraform_data\.first/);
      const refused = await place.untilRunEnds("one", 2);
      assert.equal(refused.status?.plan?.verdict, "Refuse");
      const text = await place.find("ConfigMap", `${refused.metadata.name}-plan`);
      assert.match(text?.data?.["plan.txt"] ?? "", /terraform_data\.first/);

      await place.delete("dear");
      const destroy = await place.untilRunEnds("one", 3);
      assert.deepEqual([destroy.spec.operation, destroy.status?.outcome?.reason], ["Destroy", "Protected"]);
      assert.deepEqual(destroyed(place), []);

      await place.patch("dear", { spec: { protect: [] } });
      await place.untilGone("dear");
      assert.deepEqual(destroyed(place).toSorted(), ["destroy/first", "destroy/second"]);
    },
  );

  journey(
    "a plan that destroys more than is allowed is refused, and made again when more is allowed",
    async (place) => {
      await place.apply(holding(place, ["a", "b", "c"], { maxDeletes: 1 }));
      await place.untilReady("dear");
      await place.apply(holding(place, ["a"], { maxDeletes: 1 }));
      const line = await place.untilReason("dear", "one", "TooManyDeletes");
      assert.equal(line.state, "Failed");
      const refused = await place.untilRunEnds("one", 2);
      assert.equal(refused.status?.plan?.counts.delete, 2);
      assert.equal((await states(place, "dear.one").get()).status.resources, 3);

      await place.apply(holding(place, ["a", "b"], { maxDeletes: 1 }));
      const fewer = await place.untilRunEnds("one", 3);
      assert.deepEqual([fewer.status?.outcome?.result, fewer.status?.outcome?.resources], ["Applied", 2]);
      await place.apply(holding(place, [], { maxDeletes: 2 }));
      const allowed = await place.untilRunEnds("one", 4);
      assert.deepEqual([allowed.status?.outcome?.result, allowed.status?.outcome?.resources], ["Applied", 0]);
    },
  );
});
