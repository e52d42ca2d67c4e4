import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { OutputRecord } from "../../../operator/api/run-status.ts";
import { brokenPromise } from "../../../operator/environment/offered-outputs.ts";
import { publishOutputs } from "../../../operator/environment/outputs.ts";
import type { EnvironmentPorts, OutputValue } from "../../../operator/environment/ports.ts";
import { statusFor } from "../../../operator/environment/status.ts";
import { type Verdict, verdictOf } from "../../../operator/environment/verdict.ts";
import { aComponent, anEnvironment, anOutput, appliedBy, aRecord, aRun, T0 } from "../../fakes/objects.ts";
import { runSpec } from "../run/observations.ts";
import { aPast } from "./verdicts.ts";

const signal = new AbortController().signal;

const applied = (name: string, outputs: readonly OutputRecord[]): Verdict => {
  const record = aRecord(name, { applied: appliedBy(aRun(runSpec({ component: name })), outputs) });
  return verdictOf(aPast(name, { record, nextNumber: 2 }), {
    state: "Ready",
    reason: "Applied",
    message: "",
    satisfied: true,
  });
};

const outputs: EnvironmentSpec["outputs"] = [
  { name: "url", valueFrom: { output: { component: "web", name: "endpoint" } } },
  { name: "password", valueFrom: { output: { component: "web", name: "secret" } } },
];
const environment = (more: Partial<EnvironmentSpec> = {}, shown: object = {}) =>
  anEnvironment([aComponent("web")], {
    spec: { outputs, ...more },
    status: { observedGeneration: 1, ...shown },
  });

const endpoint = anOutput("endpoint");
const secret: OutputRecord = { name: "secret", sensitive: true, digest: "digest-of-secret" };
const web = applied("web", [endpoint, secret]);

/** Ports that know two values, and remember what was asked of them. */
function portsWith(values: readonly OutputValue[]) {
  const asked: string[] = [];
  const written: Record<string, unknown>[] = [];
  const ports = {
    async outputsOf({ component }: { readonly component: string }) {
      asked.push(component);
      return values;
    },
    async writeOutputs(_environment: unknown, given: ReadonlyMap<string, OutputValue>) {
      written.push(Object.fromEntries([...given].map(([name, { value }]) => [name, value])));
    },
  } as unknown as EnvironmentPorts;
  return { ports, asked, written };
}

const values: readonly OutputValue[] = [
  { record: endpoint, value: "https://web.example.com" },
  { record: secret, value: "canary-value" },
];

describe("The outputs of an Environment", () => {
  it("are shown with their values, and sensitive ones without", async () => {
    const { ports, written } = portsWith(values);
    const { lines: shown } = await publishOutputs(environment(), { type: "converge", verdicts: [web] }, ports, signal);
    assert.deepEqual(shown, [
      { name: "url", digest: endpoint.digest, value: "https://web.example.com" },
      { name: "password", sensitive: true, digest: secret.digest },
    ]);
    assert.ok(!JSON.stringify(shown).includes("canary-value"));
    assert.deepEqual(written, []);
  });

  it("are written where the spec says so", async () => {
    const { ports, written } = portsWith(values);
    const target = environment({ writeOutputsTo: { secret: "shop-outputs" } });
    await publishOutputs(target, { type: "converge", verdicts: [web] }, ports, signal);
    assert.deepEqual(written, [{ url: "https://web.example.com", password: "canary-value" }]);
  });

  it("cost no read and no write while nothing has changed", async () => {
    const { ports, asked, written } = portsWith(values);
    const lines = [
      { name: "url", digest: endpoint.digest, value: "https://web.example.com" },
      { name: "password", sensitive: true, digest: secret.digest },
    ];
    const settled = environment({ writeOutputsTo: { configMap: "outputs" } }, { outputs: lines });
    const { lines: shown } = await publishOutputs(settled, { type: "converge", verdicts: [web] }, ports, signal);
    assert.deepEqual(shown, lines);
    assert.deepEqual([asked, written], [[], []]);
  });

  describe("that are shown as they are", () => {
    const lines = [
      { name: "url", digest: endpoint.digest, value: "https://web.example.com" },
      { name: "password", sensitive: true, digest: secret.digest },
    ];
    const target = (shown: object, requestedAt: string) => {
      const { metadata, ...rest } = environment(
        { writeOutputsTo: { configMap: "outputs" } },
        { outputs: lines, ...shown },
      );
      return { ...rest, metadata: { ...metadata, annotations: { [ANNOTATIONS.requestedAt]: requestedAt } } };
    };
    const writes = async (asked: ReturnType<typeof target>) => {
      const { ports, written } = portsWith(values);
      await publishOutputs(asked, { type: "converge", verdicts: [web] }, ports, signal);
      return written.length;
    };

    it("are written again when a person asks for a Run, once", async () => {
      assert.equal(await writes(target({ handledRequest: "first" }, "second")), 1);
      assert.equal(await writes(target({ handledRequest: "second" }, "second")), 0);
      const long = "x".repeat(300);
      assert.equal(await writes(target({ handledRequest: long.slice(0, 256) }, long)), 0);
    });

    it("are written again where the last try to write them failed, whatever else is told meanwhile", async () => {
      const { ports, written } = portsWith(values);
      const refused = { ...ports, writeOutputs: () => Promise.reject(new Error("refused")) };
      const asked = target({ handledRequest: "first" }, "second");
      const failed = await publishOutputs(asked, { type: "converge", verdicts: [web] }, refused, signal);
      assert.equal(failed.error instanceof Error, true);
      const next = target({ handledRequest: "second", outputs: failed.lines }, "second");
      const { lines: shown } = await publishOutputs(next, { type: "converge", verdicts: [web] }, ports, signal);
      assert.deepEqual([written.length, shown], [1, lines]);
    });

    it("are written once a state that is being written has the values that were applied", async () => {
      const { ports } = portsWith([]);
      const asked = target({ handledRequest: "first" }, "second");
      const { lines: shown } = await publishOutputs(asked, { type: "converge", verdicts: [web] }, ports, signal);
      assert.deepEqual(
        shown.map(({ name, value }) => [name, value]),
        [
          ["url", "https://web.example.com"],
          ["password", undefined],
        ],
        "what is shown stays",
      );
      assert.equal(await writes(target({ handledRequest: "second", outputs: shown }, "second")), 1);
    });
  });

  it("are written until that works, also where there is none and the object is empty", async () => {
    const { ports, written } = portsWith([]);
    const refused = { ...ports, writeOutputs: () => Promise.reject(new Error("denied request: not yours")) };
    const decision = { type: "converge", verdicts: [web] } as const;
    let target = environment({ outputs: [], writeOutputsTo: { configMap: "outputs" } }, { observedGeneration: 0 });
    for (const by of [refused, refused, ports, ports]) {
      const published = await publishOutputs(target, decision, by, signal);
      const status = statusFor(target, decision, published, new Date(T0));
      if (status !== undefined) target = { ...target, status };
      const ready = target.status?.conditions?.find(({ type }) => type === "Ready");
      assert.equal(ready?.reason === "OutputsNotWritten", by === refused);
    }
    assert.deepEqual(written, [{}], "and once is enough");
  });

  it("are read again when one of them changed", async () => {
    const { ports, asked } = portsWith(values);
    const before = environment(
      {},
      {
        outputs: [
          { name: "url", digest: "older" },
          { name: "password", digest: "older" },
        ],
      },
    );
    await publishOutputs(before, { type: "converge", verdicts: [web] }, ports, signal);
    assert.deepEqual(asked, ["web"]);
  });

  it("that are long are kept out of the status", async () => {
    const { ports } = portsWith([{ record: endpoint, value: "x".repeat(1_000) }, ...values.slice(1)]);
    const { lines: shown } = await publishOutputs(environment(), { type: "converge", verdicts: [web] }, ports, signal);
    assert.deepEqual(shown[0], { name: "url", digest: endpoint.digest });
  });

  it("stay as they are while it is being deleted", async () => {
    const { ports, asked } = portsWith(values);
    const lines = [{ name: "url", digest: "older" }];
    const { lines: shown } = await publishOutputs(
      environment({}, { outputs: lines }),
      { type: "dismantle", verdicts: [web] },
      ports,
      signal,
    );
    assert.deepEqual([shown, asked], [lines, []]);
  });

  it("that a component which is applied does not have are a broken promise, and both are named", () => {
    const trouble = brokenPromise(environment(), [applied("web", [endpoint])]);
    assert.deepEqual(trouble, {
      reason: "OutputMissing",
      message: "spec.outputs[password]: component web has no output secret; it has endpoint",
    });
  });

  it("are not missed before the component is applied", () => {
    const waiting: Verdict = { ...applied("web", []), satisfied: false, state: "Planning" };
    assert.equal(brokenPromise(environment(), [waiting]), undefined);
  });
});
