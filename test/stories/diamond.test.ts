import assert from "node:assert/strict";
import { aModule } from "../fakes/world-people.ts";
import { isConverged, staysQuiet, tell, until } from "./telling.ts";

const diamond = [
  aModule("network"),
  aModule("database", ["network"]),
  aModule("cache", ["network"]),
  aModule("app", ["database", "cache"]),
];

describe("A diamond", () => {
  it("is created", async () => {
    await tell({ seed: 1 }, async (told) => {
      told.person.create(diamond);
      await until(told, "Ready", () => told.person.exists() && isConverged(told));
      await staysQuiet(told);
      console.log(told.world.told.join("\n"));
      assert.equal(told.person.things().length, 4);
    });
  });
});
