import assert from "node:assert/strict";
import type { Component } from "../../../operator/api/component.ts";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import { inputsOf } from "../../../operator/environment/desired.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";

describe("The timeouts of a Run", () => {
  const rows: readonly (readonly [
    from: string,
    general: EnvironmentSpec["timeouts"],
    own: Component["timeouts"],
    plan: string,
    apply: string,
  ])[] = [
    ["are those of the product where nobody says anything", undefined, undefined, "15m", "60m"],
    ["are the Environment's", { plan: "2m", apply: "9m" }, undefined, "2m", "9m"],
    ["are the component's own", { plan: "2m", apply: "9m" }, { plan: "3m", apply: "4m" }, "3m", "4m"],
    [
      "are the Environment's in the phase of which the component says nothing",
      { plan: "2m", apply: "9m" },
      { apply: "3h" },
      "2m",
      "3h",
    ],
    ["are those of the product in the phase of which neither says anything", undefined, { plan: "1h" }, "1h", "60m"],
  ];
  for (const [from, general, own, plan, apply] of rows)
    it(from, () => {
      const component = aComponent("network", own === undefined ? {} : { timeouts: own });
      const spec = general === undefined ? {} : { timeouts: general };
      const { timeouts } = inputsOf(anEnvironment([component], { spec }), component, undefined);
      assert.deepEqual(timeouts, { plan, apply });
    });
});
