import assert from "node:assert/strict";
import type { Run, RunSpec } from "../../../operator/api/run.ts";
import { appliedDigestOf, desiredDigestOf, inputsDigestOf } from "../../../operator/environment/digest.ts";
import { aState } from "../storage/claimants.ts";
import { type GatewayWorld, gatewayWorld, NAMESPACE, type PodInWorld, type Reply, specOf } from "./gateway-world.ts";

let world: GatewayWorld;
beforeEach(async () => {
  world = await gatewayWorld({ digestOfApplied: appliedDigestOf });
});
afterEach(() => world.close());

const codeOf = ({ json }: Reply) => (json.error as { readonly code: string } | undefined)?.code ?? "";

async function sessionOf(run: Run, pod: PodInWorld = world.aPod(run)) {
  const claimed = await world.claim(pod, run);
  assert.equal(claimed.status, 200, claimed.bytes.toString());
  return async (method: string, path: string, body?: Buffer | object) => {
    const reply = await world.call(world.gateway, method, path, String(claimed.json.session), body);
    assert.ok(reply.status < 300, `${method} ${path}: ${reply.bytes}`);
  };
}

const aPlan = {
  digest: "sha256:plan",
  counts: { create: 1, update: 0, replace: 0, delete: 0 },
  empty: false,
  resources: [],
  truncated: false,
  drifted: 0,
  inputsDigest: "i",
};

const stateWith = (serial: number, outputs: Readonly<Record<string, string>>) =>
  aState({
    serial,
    resources: ["vpc"],
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, { value }])),
  });

/** The component `network` up to the write of that state; what is returned ends the Run. */
async function begun(number: number, outputs: Readonly<Record<string, string>>) {
  const ask = await sessionOf(world.aRun("network", number));
  await ask("PUT", "/v1/archive", Buffer.from(`archive ${number}`));
  await ask("POST", "/v1/plan", aPlan);
  await ask("PUT", "/v1/state/lock", { ID: "lock" });
  await ask("POST", "/v1/state?ID=lock", stateWith(number, outputs));
  return async (result: "Applied" | "Failed") => {
    await ask("DELETE", "/v1/state/lock?ID=lock");
    await ask("POST", "/v1/result", { outcome: { result, reason: result, message: "as reported" } });
  };
}

async function applied(number: number, outputs: Readonly<Record<string, string>>): Promise<void> {
  await (await begun(number, outputs))("Applied");
}

const wired = { variables: [{ name: "vpc", valueFrom: { output: { component: "network", name: "id" } } }] };

async function claimOfDatabase(number: number) {
  const run = world.aRun("database", number, {}, wired);
  const reply = await world.claim(world.aPod(run), run);
  const [variable] = (reply.json.variables ?? []) as readonly { readonly value: string }[];
  return { code: codeOf(reply), value: variable?.value, outcome: (await world.runStatus(run))?.outcome };
}

describe("outputs of a component that is being changed", () => {
  it("are not used before its apply has ended well: the Run waits", async () => {
    await applied(1, { id: "vpc-1" });
    const end = await begun(2, { id: "vpc-2" });
    const during = await claimOfDatabase(1);
    assert.deepEqual(
      [during.code, during.outcome?.result, during.outcome?.reason],
      ["OutputsUnsettled", "Waiting", "Blocked"],
    );
    assert.match(during.outcome?.message ?? "", /component network is being changed: its output id/);
    assert.equal(during.outcome?.retry, undefined);
    await end("Applied");
    assert.equal((await claimOfDatabase(2)).value, "vpc-2");
  });

  it("are not used after its apply has failed, until another one has ended well", async () => {
    await applied(1, { id: "vpc-1" });
    await (await begun(2, { id: "vpc-2" }))("Failed");
    assert.equal((await claimOfDatabase(1)).code, "OutputsUnsettled");
    await applied(3, { id: "vpc-3" });
    assert.equal((await claimOfDatabase(2)).value, "vpc-3");
  });

  it("are not used when they are new, gone, or of a first apply that has failed", async () => {
    await (await begun(1, { id: "vpc-1" }))("Failed");
    assert.equal((await claimOfDatabase(1)).code, "OutputsUnsettled");
    await applied(2, { name: "shop" });
    assert.equal((await claimOfDatabase(2)).code, "OutputMissing");
    await (await begun(3, { name: "shop", id: "vpc-3" }))("Failed");
    assert.equal((await claimOfDatabase(3)).code, "OutputsUnsettled");
    await applied(4, { id: "vpc-4" });
    await (await begun(5, {}))("Failed");
    assert.equal((await claimOfDatabase(4)).code, "OutputsUnsettled");
  });

  it("are used where the change has not touched them", async () => {
    await applied(1, { id: "vpc-1", name: "old" });
    await begun(2, { id: "vpc-1", name: "new" });
    assert.equal((await claimOfDatabase(1)).value, "vpc-1");
  });

  it("do not end a Run whose apply has begun: a restarted agent gets its session to report with", async () => {
    await applied(1, { id: "vpc-1" });
    const run = world.aRun("database", 1, {}, wired);
    const pod = world.aPod(run);
    const ask = await sessionOf(run, pod);
    await ask("PUT", "/v1/archive", Buffer.from("archive"));
    await ask("POST", "/v1/plan", aPlan);
    await begun(2, { id: "vpc-2" });
    const again = await sessionOf(run, pod);
    assert.equal((await world.runStatus(run))?.outcome, undefined);
    await again("POST", "/v1/result", { outcome: { result: "Interrupted", reason: "Interrupted", message: "" } });
  });
});

describe("what is applied with outputs of another component", () => {
  const KEY = { namespace: NAMESPACE, environment: "shop" };
  const appliedOf = async (component: string) =>
    (await world.store.record({ ...KEY, component }))?.value.applied ?? assert.fail(`${component} is not applied`);

  /** What the operator wants of `database` while the output of `network` is as its last apply left it. */
  async function wantedOfDatabase(): Promise<Pick<RunSpec, "inputsDigest" | "desiredDigest">> {
    const { engine, inputs } = specOf("database", 1, {}, wired);
    const outputs = (await appliedOf("network")).outputs.map(({ name, digest }) => [`network.${name}`, digest]);
    const inputsDigest = inputsDigestOf(engine, inputs, Object.fromEntries(outputs));
    return { inputsDigest, desiredDigest: desiredDigestOf(inputsDigest, undefined) };
  }

  async function apply(run: Run, result: "Applied" | "Unchanged"): Promise<void> {
    const ask = await sessionOf(run);
    await ask("PUT", "/v1/archive", Buffer.from("archive"));
    await ask("POST", "/v1/plan", { ...aPlan, empty: result === "Unchanged" });
    await ask("POST", "/v1/result", { outcome: { result, reason: result, message: "as reported" } });
  }

  for (const result of ["Applied", "Unchanged"] as const) {
    it(`is what was wanted, where the Run was given what it was made for (${result})`, async () => {
      await applied(1, { id: "vpc-1" });
      const wanted = await wantedOfDatabase();
      await apply(world.aRun("database", 1, wanted, wired), result);
      assert.equal((await appliedOf("database")).desiredDigest, wanted.desiredDigest);
    });

    it(`is recorded with the values that the Run was given, not with those that it was made for (${result})`, async () => {
      await applied(1, { id: "vpc-1" });
      const run = world.aRun("database", 1, await wantedOfDatabase(), wired);
      await applied(2, { id: "vpc-2" });
      await apply(run, result);
      assert.equal((await appliedOf("database")).desiredDigest, (await wantedOfDatabase()).desiredDigest);
    });
  }
});
