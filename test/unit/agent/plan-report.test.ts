import assert from "node:assert/strict";
import { LONGEST_ADDRESS } from "../../../operator/engine/plan-changes.ts";
import { planReport } from "../../../operator/gateway/protocol.ts";
import { DEFAULT_LIMITS } from "../../../operator/gateway/server.ts";
import { planReportOf } from "../../../runner/agent/plan-report.ts";
import { Scrubber } from "../../../runner/agent/scrub.ts";

const circumstances = { digest: "sha256:1", inputsDigest: "hmac:1", revision: undefined };

function aDocument(count: number, change: object, address = (at: number) => `thing.a["${at}"]`) {
  const resource_changes = Array.from({ length: count }, (_, at) => ({ address: address(at), type: "thing", change }));
  return { format_version: "1.2", resource_changes };
}

describe("what the agent reports of a plan", () => {
  it("lists the changes, without the secrets that keys may hold", () => {
    const scrubber = new Scrubber();
    scrubber.add("canary-7f3a");
    const change = {
      actions: ["update"],
      before: { tags: { "canary-7f3a": 1 } },
      after: { tags: { "canary-7f3a": 2 } },
    };
    const report = planReportOf(
      aDocument(1, change, () => 'thing.a["canary-7f3a"]'),
      scrubber,
      circumstances,
    );
    assert.deepEqual(report.changes, [
      { address: 'thing.a["(sensitive)"]', type: "thing", action: "update", attributes: ["tags.(sensitive)"] },
    ]);
    assert.deepEqual([report.changesTruncated, report.driftOnly], [false, false]);
  });

  it("shows what is destroyed before anything else, and what is alike in the engine's order", () => {
    const { resource_changes: made, format_version } = aDocument(60, { actions: ["create"] });
    const gone = aDocument(2, { actions: ["delete"] }, (at) => `thing.gone${at}`).resource_changes;
    const anew = aDocument(1, { actions: ["delete", "create"] }, () => "thing.anew").resource_changes;
    const document = { format_version, resource_changes: [...made, ...anew, ...gone] };
    const { resources, truncated } = planReportOf(document, new Scrubber(), circumstances);
    const addresses = resources.map(({ address }) => address);
    assert.deepEqual(addresses.slice(0, 4), ["thing.gone0", "thing.gone1", "thing.anew", 'thing.a["0"]']);
    assert.deepEqual([addresses.length, truncated], [50, true]);
  });

  it("always fits into a request, and says what is missing", () => {
    const after = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`attribute_number_${at}`, at]));
    const report = planReportOf(aDocument(6_000, { actions: ["create"], after }), new Scrubber(), circumstances);
    assert.ok(Buffer.byteLength(JSON.stringify(planReport.parse(report))) < DEFAULT_LIMITS.smallBytes);
    assert.ok((report.changes?.length ?? 0) > 1_000);
    assert.equal(report.changesTruncated, true);
  });

  it("says so where a name is too long to be told whole", () => {
    const edited = (name: string) => ({ actions: ["update"], before: { tags: { [name]: 1 } }, after: { tags: {} } });
    const [short, long] = ["k", "k".repeat(2_000)] as const;
    for (const [key, tag, cut] of [
      [short, short, false],
      [long, short, true],
      [short, long, true],
    ] as const) {
      const document = aDocument(1, edited(tag), () => `thing.a["${key}"]`);
      const report = planReportOf(document, new Scrubber(), circumstances);
      assert.equal(planReport.parse(report).changesTruncated, cut);
      assert.ok((report.changes?.[0]?.address.length ?? 0) <= LONGEST_ADDRESS);
    }
  });

  it("counts an update of which no attribute can be named as one that is not told whole", () => {
    const told = (action: string, after: object) => {
      const document = aDocument(1, { actions: [action], before: { size: 1 }, after });
      return planReportOf(document, new Scrubber(), circumstances).changesTruncated;
    };
    assert.equal(told("update", { size: 1 }), true);
    assert.equal(told("update", { size: 2 }), false);
    assert.equal(told("no-op", { size: 1 }), false);
  });

  it("lists 20,000 changes that have few attributes, and no more", () => {
    const change = { actions: ["update"], before: { size: 1 }, after: { size: 2 } };
    const report = planReportOf(aDocument(20_001, change), new Scrubber(), circumstances);
    assert.deepEqual([planReport.parse(report).changes?.length, report.changesTruncated], [20_000, true]);
    const { changesTruncated } = planReportOf(aDocument(20_000, change), new Scrubber(), circumstances);
    assert.equal(changesTruncated, false);
  });
});
