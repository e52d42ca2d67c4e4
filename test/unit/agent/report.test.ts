import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { progressReport, type ResultReport, resultReport } from "../../../operator/gateway/protocol.ts";
import type { Outcome } from "../../../runner/agent/ending.ts";
import { GatewayClient } from "../../../runner/agent/gateway-client.ts";
import { Journal } from "../../../runner/agent/journal.ts";
import { Printer } from "../../../runner/agent/printer.ts";
import { Progress } from "../../../runner/agent/progress.ts";
import { pushResult, resultOf } from "../../../runner/agent/report.ts";
import { Scrubber } from "../../../runner/agent/scrub.ts";
import { Spool } from "../../../runner/agent/spool.ts";
import { aWorkOrder, type FakeGateway, startGateway } from "../../fakes/gateway.ts";

const failure: Outcome = { result: "Failed", reason: "ApplyFailed", message: "it failed", retry: "Backoff" };

/** Every other word of it is a secret of four characters, which its mark is longer than. */
const wordy = (length: number) => "prod-".repeat(length).slice(0, length);

const everythingLong: Outcome = {
  ...failure,
  message: wordy(1_000),
  diagnostics: Array.from({ length: 10 }, () => ({
    summary: wordy(500),
    address: wordy(250),
    file: wordy(250),
    line: 3,
  })),
};

describe("the agent's report", () => {
  let root = "";
  let gateway: FakeGateway;
  let client: GatewayClient;
  const scrubber = new Scrubber();
  scrubber.add("prod");
  const tools = () => ({ gateway: client, printer: new Printer(scrubber, () => {}) });

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "report-"));
    writeFileSync(join(root, "token"), "a token");
    gateway = await startGateway(aWorkOrder());
    client = new GatewayClient({
      url: gateway.url,
      ca: undefined,
      tokenFile: join(root, "token"),
      claim: { run: "r", namespace: "n", phase: "Plan" },
    });
  });
  afterEach(async () => {
    client.close();
    await gateway.close();
    rmSync(root, { recursive: true });
  });

  it("is short enough for the gateway, however much the scrubber has lengthened it", () => {
    const report = resultOf({ order: aWorkOrder(), scrubber }, { outcome: everythingLong });
    assert.deepEqual(resultReport.parse(report), report);
    assert.equal(report.outcome.diagnostics?.length, 10);
    assert.ok(!JSON.stringify(report).includes("prod"));
  });

  it("calls an output sensitive in which it finds a secret, wherever that is", () => {
    const outputs = {
      plain: { value: "text", type: "string" },
      marked: { value: "text", type: "string", sensitive: true },
      echo: { value: "a prod b", type: "string" },
      deep: { value: [{ a: { prod: 1 } }], type: "dynamic" },
      encoded: { value: btoa("prod"), type: "string" },
      none: { value: null, type: "string" },
    };
    const outputsOf = Buffer.from(JSON.stringify({ version: 4, outputs }));
    const report = resultOf({ order: aWorkOrder(), scrubber }, { outcome: failure, outputsOf });
    assert.deepEqual(Object.fromEntries(report.outputs.map(({ name, sensitive }) => [name, sensitive])), {
      plain: false,
      marked: true,
      echo: true,
      deep: true,
      encoded: true,
      none: false,
    });
  });

  it("leaves out what the schema does not allow, rather than the end of the Run", () => {
    const impossible = { ...failure, message: "x", diagnostics: Array.from({ length: 11 }, () => ({ summary: "s" })) };
    const report = resultOf({ order: aWorkOrder(), scrubber }, { outcome: impossible });
    assert.deepEqual(report.outcome, { ...failure, message: "x" });
  });

  it("is sent without its details where the gateway refuses them", async () => {
    const report: ResultReport = { outcome: everythingLong, outputs: [{ name: "a", sensitive: true, digest: "d" }] };
    let tries = 0;
    gateway.memory.refuse = (request) => (request === "POST /v1/result" && tries++ === 0 ? "BadRequest" : undefined);
    assert.equal(await pushResult(tools(), report), true);
    assert.deepEqual(gateway.memory.result, { ...report, outcome: { ...failure, message: wordy(1_000) } });
  });

  it("is given up where the Run has ended without this pod", async () => {
    gateway.memory.refuse = () => "Fenced";
    assert.equal(await pushResult(tools(), { outcome: failure, outputs: [] }), false);
  });

  it("of progress stays within the schema", async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const progress = new Progress(async (report) => {
      resolve(report);
      return true;
    }, scrubber);
    progress.step("apply", 1);
    progress.event({ type: "ApplyStart", address: wordy(256), action: "create", elapsedSeconds: 0 });
    // The timer of a report does not keep a process alive.
    const alive = setInterval(() => {}, 100);
    const report = await promise;
    clearInterval(alive);
    progress.stop();
    assert.deepEqual(progressReport.parse(report), report);
  });

  it("of the journal keeps its own words, whatever is secret", async () => {
    const everything = new Scrubber();
    everything.add("create", "apply_start", String(new Date().getFullYear()), "name");
    const journal = new Journal(client, new Spool(root), everything, () => {});
    journal.record({ type: "ApplyStart", address: "x.name", action: "create", elapsedSeconds: 0 });
    await journal.flushed();
    assert.deepEqual(
      gateway.memory.journal.map(({ event, address, action }) => [event, address, action]),
      [["apply_start", "x.(sensitive)", "create"]],
    );
  });
});
