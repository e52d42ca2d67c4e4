import assert from "node:assert/strict";
import { MOST_OUTPUTS } from "../../../operator/gateway/protocol.ts";
import { outputsOf } from "../../../operator/storage/outputs.ts";
import { aState } from "../storage/claimants.ts";
import { type GatewayWorld, gatewayWorld, NAMESPACE } from "./gateway-world.ts";

/** What an agent tells about an output of the state. */
interface Told {
  readonly name: string;
  readonly sensitive: boolean;
}

describe("an output whose value came from a Secret", () => {
  let world: GatewayWorld;
  let number = 0;
  beforeEach(async () => {
    world = await gatewayWorld();
    number = 0;
  });
  afterEach(() => world.close());

  const plan = {
    digest: "sha256:plan",
    counts: { create: 1, update: 0, replace: 0, delete: 0 },
    empty: false,
    resources: [],
    truncated: false,
    drifted: 0,
    inputsDigest: "i",
  };

  async function begun(values: Record<string, string>) {
    number += 1;
    const run = world.aRun("network", number);
    const claimed = await world.claim(world.aPod(run), run);
    const ask = async (method: string, path: string, body: Buffer | object) => {
      const { status, bytes } = await world.call(world.gateway, method, path, String(claimed.json.session), body);
      assert.ok(status < 300, bytes.toString());
    };
    const outputs = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
    await ask("PUT", "/v1/archive", Buffer.from("archive"));
    await ask("POST", "/v1/plan", plan);
    await ask("PUT", "/v1/state/lock", { ID: "lock" });
    await ask("POST", "/v1/state?ID=lock", aState({ serial: number, resources: ["vpc"], outputs }));
    await ask("DELETE", "/v1/state/lock?ID=lock", {});
    return (result: string, told: readonly Told[]) =>
      ask("POST", "/v1/result", {
        outcome: { result, reason: result, message: "" },
        outputs: told.map((one) => ({ ...one, digest: "the agent's own" })),
      });
  }
  const apply = async (values: Record<string, string>, told: readonly Told[]) => (await begun(values))("Applied", told);

  async function shown(): Promise<Record<string, boolean>> {
    const found = await world.store.record({ namespace: NAMESPACE, environment: "shop", component: "network" });
    assert.ok(found);
    const outputs = await outputsOf(world.store, world.ring, found.value);
    return Object.fromEntries(outputs.map(({ record }) => [record.name, record.sensitive]));
  }

  const echoed = [
    { name: "echo", sensitive: true },
    { name: "id", sensitive: false },
  ];

  it("is recorded as sensitive on the agent's word, and so it reaches those who need it", async () => {
    await apply({ id: "vpc-1", echo: "hush" }, echoed);
    assert.deepEqual(await shown(), { id: false, echo: true });
    const variables = ["id", "echo"].map((name) => ({
      name,
      valueFrom: { output: { component: "network", name } },
    }));
    const run = world.aRun("database", 1, {}, { variables });
    assert.deepEqual((await world.claim(world.aPod(run), run)).json.variables, [
      { name: "id", kind: "value", value: "vpc-1", sensitive: false },
      { name: "echo", kind: "value", value: "hush", sensitive: true },
    ]);
  });

  it("stays sensitive when the Secret has another value by now", async () => {
    await apply({ echo: "hush" }, echoed);
    await apply({ echo: "hush" }, [{ name: "echo", sensitive: false }]);
    assert.deepEqual(await shown(), { echo: true });
    await apply({ echo: "nothing secret" }, [{ name: "echo", sensitive: false }]);
    assert.deepEqual(await shown(), { echo: false });
  });

  it("is sensitive until an agent has judged its value", async () => {
    await apply({ id: "vpc-1" }, [{ name: "id", sensitive: false }]);
    const end = await begun({ id: "hush", more: "hush" });
    assert.deepEqual(await shown(), { id: true, more: true });
    await end("Failed", []);
    assert.deepEqual(await shown(), { id: true, more: true });
  });

  it("is sensitive where there are more outputs than a report can name", async () => {
    const names = Array.from({ length: MOST_OUTPUTS + 1 }, (_, index) => `o${index}`);
    const told = names.slice(0, MOST_OUTPUTS).map((name) => ({ name, sensitive: false }));
    await apply(Object.fromEntries(names.map((name) => [name, "x"])), told);
    const sensitive = Object.entries(await shown()).filter(([, flag]) => flag);
    assert.deepEqual(sensitive, [[`o${MOST_OUTPUTS}`, true]]);
  });
});
