import assert from "node:assert/strict";
import { environmentName, environmentSpec } from "../../../operator/api/environment.ts";
import { durationMs } from "../../../operator/api/fields.ts";

const minimal = { components: [{ name: "network", terraform: {} }] };

describe("the schema of an Environment", () => {
  it("fills in the defaults that the API server fills in", () => {
    const spec = environmentSpec.parse(minimal);
    assert.deepEqual(spec.engine, { name: "opentofu" });
    assert.equal(spec.suspend, false);
    assert.equal(spec.components[0]?.terraform.path, ".");
  });

  it("takes any JSON as the value of a variable", () => {
    for (const value of [false, 0, "", "null", [1, { a: null }], { b: { c: ["$(x)\n"] } }]) {
      const spec = environmentSpec.parse({ ...minimal, variables: [{ name: "a", value }] });
      assert.deepEqual(spec.variables, [{ name: "a", value }]);
    }
  });

  it("refuses names that are none", () => {
    for (const name of ["", "Net", "net-", "-net", "a".repeat(21), "net\n", "né"]) {
      assert.equal(environmentSpec.safeParse({ components: [{ name, terraform: {} }] }).success, false, name);
    }
  });

  it("takes a name of an Environment that fits a label", () => {
    assert.ok(environmentName.safeParse("a".repeat(63)).success);
    for (const name of ["a".repeat(64), "a.b", "A", ""]) assert.equal(environmentName.safeParse(name).success, false);
  });
});

describe("a duration", () => {
  it("is the sum of its units", () => {
    assert.equal(durationMs("1h30m"), 5_400_000);
    assert.equal(durationMs("90s"), 90_000);
    assert.equal(durationMs("1m500ms"), 60_500);
  });
});
