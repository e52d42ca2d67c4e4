import assert from "node:assert/strict";
import { createMetrics } from "../../../operator/telemetry/metrics.ts";

describe("createMetrics", () => {
  const page = async (metrics: ReturnType<typeof createMetrics>) => (await metrics.page()).body.split("\n");

  it("counts what is recorded, in seconds", async () => {
    const metrics = createMetrics({ ofProcess: false });
    metrics.apiRequest({ verb: "get", resource: "pods", code: 200, durationMs: 30 });
    metrics.watchRestarted("runs");
    metrics.runFinished({ operation: "Apply", result: "Failed", reason: "ApplyFailed", durationMs: 90_000 });
    metrics.gatewayRequest({ route: "/v1/state", code: 204, durationMs: 12 });
    metrics.gitLookedUp({ outcome: "GitUnauthorized", durationMs: 700 });
    metrics.leading(true);
    const lines = await page(metrics);
    for (const line of [
      'terrarium_api_request_duration_seconds_sum{verb="get",resource="pods",code="200"} 0.03',
      'terrarium_watch_restarts_total{resource="runs"} 1',
      'terrarium_run_duration_seconds_sum{operation="Apply",result="Failed",reason="ApplyFailed"} 90',
      'terrarium_gateway_request_duration_seconds_count{route="/v1/state",code="204"} 1',
      'terrarium_git_lookup_duration_seconds_sum{outcome="GitUnauthorized"} 0.7',
      "terrarium_leader 1",
    ]) {
      assert.ok(lines.includes(line), `${line} is missing in\n${lines.join("\n")}`);
    }
  });

  it("measures a queue when it is read", async () => {
    const metrics = createMetrics({ ofProcess: false });
    let ready = 1;
    metrics.watchQueue("run", () => ({ ready, busy: 2, delayed: 3, oldestMs: 1500 }));
    ready = 7;
    const { onDone, onRetry } = metrics.queueHooks("run");
    onDone("team/shop", { type: "failed" }, 250);
    onRetry();
    const lines = await page(metrics);
    for (const line of [
      'terrarium_queue_keys{queue="run",place="ready"} 7',
      'terrarium_queue_keys{queue="run",place="delayed"} 3',
      'terrarium_queue_oldest_seconds{queue="run"} 1.5',
      'terrarium_queue_retries_total{queue="run"} 1',
      'terrarium_reconcile_duration_seconds_sum{queue="run",outcome="failed"} 0.25',
    ]) {
      assert.ok(lines.includes(line), `${line} is missing in\n${lines.join("\n")}`);
    }
  });

  it("measures the store when it is read", async () => {
    const metrics = createMetrics({ ofProcess: false });
    metrics.watchStore(() => ({ records: 2, recordBytes: 5_000, blobBytes: 70_000 }));
    const lines = await page(metrics);
    for (const line of [
      "terrarium_store_records 2",
      'terrarium_store_bytes{what="records"} 5000',
      'terrarium_store_bytes{what="blobs"} 70000',
    ]) {
      assert.ok(lines.includes(line), `${line} is missing in\n${lines.join("\n")}`);
    }
  });

  it("names no object", async () => {
    const metrics = createMetrics({ ofProcess: false });
    metrics.queueHooks("run").onDone("team/shop", { type: "settled" }, 1);
    assert.doesNotMatch((await metrics.page()).body, /team|shop/);
  });

  it("tells of the process itself where that is wanted, and twice over in one process", async () => {
    createMetrics({ ofProcess: true });
    const { contentType, body } = await createMetrics({ ofProcess: true }).page();
    assert.match(contentType, /^text\/plain/);
    assert.match(body, /process_resident_memory_bytes \d+/);
  });
});
