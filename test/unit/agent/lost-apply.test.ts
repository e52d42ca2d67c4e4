import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseEvent } from "../../../operator/engine/events.ts";
import { lostApply, rejoinApply } from "../../../runner/agent/apply-step.ts";
import type { Bench } from "../../../runner/agent/bench.ts";
import type { CommandEnd, EngineSession } from "../../../runner/agent/engine-session.ts";
import { pushResult, resultOf } from "../../../runner/agent/report.ts";
import { attempt } from "../../../runner/agent/story.ts";
import type { EngineClient } from "../../../runner/engine-client.ts";
import { aWorkOrder } from "../../fakes/gateway.ts";
import { agentPlace, benchOf } from "./benches.ts";

const anEngineThatEnds = (exit: Partial<CommandEnd["exit"]>, lastLines: readonly string[] = []) =>
  ({
    terminating: false,
    run: async () => ({
      exit: { code: null, signal: null, timedOut: false, durationMs: 1, ...exit },
      diagnostics: [],
      lastLines,
    }),
  }) as unknown as EngineSession;

const anEngineThatApplied = () =>
  ({
    hello: { finished: ["apply"] },
    onTerminating: () => {},
    run: async () => ({ type: "exit", id: "apply", code: 0, signal: null, timedOut: false, durationMs: 1 }),
  }) as unknown as EngineClient;

const MADE = {
  "@level": "info",
  "@message": "aws_vpc.a: Creation complete",
  type: "apply_complete",
  hook: { resource: { addr: "aws_vpc.a" }, action: "create", id_key: "id", id_value: "vpc-1", elapsed_seconds: 1 },
};

const aState = JSON.stringify({ version: 4, lineage: "l", serial: 3, terraform_version: "1", resources: [] });

describe("an apply whose engine is gone", () => {
  let place: Awaited<ReturnType<typeof agentPlace>>;

  beforeEach(async () => {
    place = await agentPlace();
  });
  afterEach(() => place.remove());

  function aBench(): Bench {
    const engine = Promise.reject(new Error("the engine container is gone"));
    engine.catch(() => {});
    return benchOf({ order: aWorkOrder(), engine, ...place.speaker });
  }

  it("still hands over the state that it left behind", async () => {
    writeFileSync(join(place.live, "errored.tfstate"), aState);
    const end = await lostApply(aBench(), place.live, "nobody knows why");
    assert.equal(place.gateway.memory.state?.toString(), aState);
    assert.equal(end.outcome.result, "Interrupted");
    assert.equal(end.outcome.stateSerial, 3);
    assert.match(end.outcome.message, /cut off: nobody knows why.*state was saved afterwards/s);
  });

  it("stays cut off where that state cannot be stored: after the restore, too, a person sees what is done next", async () => {
    writeFileSync(join(place.live, "errored.tfstate"), aState);
    place.gateway.memory.refuse = (request) => (request === "POST /v1/state" ? "LineageDiffers" : undefined);
    const { outcome } = await lostApply(aBench(), place.live, "nobody knows why");
    assert.equal(place.gateway.memory.recovery?.toString(), aState);
    assert.deepEqual([outcome.result, outcome.reason, outcome.retry], ["Interrupted", "StateUnsaved", "Never"]);
    assert.match(outcome.message, /kept as a recovery copy.*cut off: nobody knows why/s);
  });

  it("has nothing to hand over where nothing was left", async () => {
    const end = await lostApply(aBench(), place.live, "nobody knows why");
    assert.deepEqual([end.outcome.result, place.gateway.memory.recovery], ["Interrupted", undefined]);
  });

  it("ends where the claim was fenced meanwhile: an agent that is started again would be refused in the same way", async () => {
    const bench = aBench();
    await bench.spool.write("applying", { digest: "sha256:1", cwd: place.live });
    bench.journal.record(parseEvent(JSON.stringify(MADE)));
    place.gateway.memory.refuse = () => "Fenced";
    const end = await attempt({ ...bench, engine: Promise.resolve(anEngineThatApplied()) });
    assert.ok(end.type === "told");
    assert.equal(end.outcome.result, "Interrupted");
    assert.equal(await pushResult(bench, resultOf(bench, end)), false);
  });

  for (const [how, exit, lines, reason] of [
    ["by a panic", { code: 2 }, ["panic: runtime error: invalid memory address"], "Interrupted"],
    ["by a panic that Terraform has caught", { code: 11 }, ["!!!! TERRAFORM CRASH !!!!"], "Interrupted"],
    ["out of memory", { code: 2 }, ["fatal error: runtime: out of memory"], "OutOfMemory"],
    ["by SIGABRT", { signal: "SIGABRT" }, [], "Interrupted"],
    ["by SIGKILL", { signal: "SIGKILL" }, [], "Interrupted"],
  ] as const) {
    it(`is interrupted where the engine ended ${how}, and the store has what it had made`, async () => {
      const bench = aBench();
      bench.journal.record(parseEvent(JSON.stringify(MADE)));
      const { outcome } = await rejoinApply(bench, anEngineThatEnds(exit, lines), place.live);
      assert.deepEqual([outcome.result, outcome.reason, outcome.retry], ["Interrupted", reason, undefined]);
      assert.deepEqual(
        place.gateway.memory.journal.map(({ address, idValue }) => [address, idValue]),
        [["aws_vpc.a", "vpc-1"]],
      );
    });
  }

  for (const [how, exit] of [
    ["said itself that it failed", { code: 1 }],
    ["never started", { startError: "spawn tofu ENOENT" }],
    ["was told to end before it listened to that", { signal: "SIGTERM" }],
  ] as const) {
    it(`failed where the engine ${how}`, async () => {
      const { outcome } = await rejoinApply(aBench(), anEngineThatEnds(exit), place.live);
      assert.deepEqual([outcome.result, outcome.reason, outcome.retry], ["Failed", "ApplyFailed", "Backoff"]);
    });
  }
});
