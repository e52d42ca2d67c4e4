import assert from "node:assert/strict";
import type { Bench } from "../../../runner/agent/bench.ts";
import { checked } from "../../../runner/agent/check-step.ts";
import { planReportOf } from "../../../runner/agent/plan-report.ts";
import { resultOf } from "../../../runner/agent/report.ts";
import { Scrubber } from "../../../runner/agent/scrub.ts";
import { aWorkOrder } from "../../fakes/gateway.ts";

interface Edit {
  readonly before?: object;
  readonly after?: object;
  readonly actions?: readonly string[];
}

const aSize = (value: unknown): Edit => ({ before: { size: value }, after: { size: 1 } });
const aTag = (value: unknown): Edit => ({ before: { tags: value }, after: { tags: "" } });

/** What a Check tells of these differences, by address. */
function toldOf(edits: Readonly<Record<string, Edit>>, secrets: readonly string[] = []) {
  const scrubber = new Scrubber();
  scrubber.add(...secrets);
  const order = aWorkOrder({ operation: "Check" });
  const document = {
    format_version: "1.2",
    resource_changes: Object.entries(edits).map(([address, { actions = ["update"], ...values }]) => ({
      address,
      type: "thing",
      change: { actions, ...values },
    })),
  };
  const circumstances = { digest: "sha256:1", inputsDigest: "hmac:1", revision: undefined };
  const report = planReportOf(document, scrubber, circumstances);
  const bench = { order, scrubber } as Bench;
  return resultOf(bench, checked(bench, { document, report, lockFile: undefined }, undefined));
}
const digestOf = (edits: Readonly<Record<string, Edit>>, secrets: readonly string[] = []) =>
  toldOf(edits, secrets).driftDigest;

describe("the digest that a Check tells of what differs", () => {
  it("is the same for the same attributes, whatever their values are", () => {
    assert.match(digestOf({ "thing.a": aSize(2) }) ?? "", /^sha256:/);
    assert.equal(digestOf({ "thing.a": aSize(2) }), digestOf({ "thing.a": aSize(3) }));
  });

  it("is another for another attribute, address or action", () => {
    const all = [
      { "thing.a": aSize(2) },
      { "thing.a": aTag("x") },
      { "thing.b": aSize(2) },
      { "thing.a": { ...aSize(2), actions: ["delete", "create"] } },
    ].map((edits) => digestOf(edits));
    assert.equal(new Set(all).size, all.length);
  });

  it("covers also what is too much for the list", () => {
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`thing.a["${at}"]`, aSize(2)]));
    assert.notEqual(digestOf(many), digestOf({ ...many, 'thing.a["59"]': aTag("x") }));
  });

  it("tells nothing of secrets in keys", () => {
    const keyed = (key: string) =>
      digestOf({ [`thing.a["${key}"]`]: { before: { [key]: 1 }, after: {} } }, ["canary-1", "canary-2"]);
    assert.equal(keyed("canary-1"), keyed("canary-2"));
  });

  it("is told only where something differs", () => {
    assert.equal(digestOf({}), undefined);
  });
});
