import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { ProgressReport } from "../../../operator/gateway/protocol.ts";
import { GatewayClient } from "../../../runner/agent/gateway-client.ts";
import { Progress } from "../../../runner/agent/progress.ts";
import { Scrubber } from "../../../runner/agent/scrub.ts";

/** A step is told when it has lasted for a second. */
const TOLD_MS = 1_200;

const LONGEST_MS = 15_000;

async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + LONGEST_MS;
  while (!condition()) {
    assert.ok(performance.now() < endMs, "not told again");
    await delay(50);
  }
}

describe("The progress of a Run", () => {
  it("is that a state is only in the pod, whatever else goes on, and what goes on once it is safe", async function () {
    this.timeout(20_000);
    const told: ProgressReport[] = [];
    const progress = new Progress(async (report) => told.push(report) > 0, new Scrubber());
    progress.step("apply", 2);
    await delay(TOLD_MS);
    progress.unsaved("onItsWay", true);
    progress.event({ type: "ApplyComplete", address: "a", action: "create", elapsedSeconds: 1 } as never);
    await delay(TOLD_MS);
    progress.unsaved("onItsWay", false);
    await delay(TOLD_MS);
    progress.stop();
    assert.deepEqual(told, [
      { step: "apply", done: 0, total: 2 },
      { step: "save state" },
      { step: "apply", done: 1, total: 2 },
    ]);
  });

  it("is that a state is only in the pod as long as one of two is", async () => {
    const told: ProgressReport[] = [];
    const progress = new Progress(async (report) => told.push(report) > 0, new Scrubber());
    progress.unsaved("onItsWay", true);
    progress.unsaved("leftByEngine", true);
    progress.unsaved("onItsWay", false);
    await delay(TOLD_MS);
    progress.stop();
    assert.deepEqual(told, [{ step: "save state" }]);
  });

  it("is told again when it did not arrive: that a state is only here, and that it is safe", async function () {
    this.timeout(30_000);
    const arrived: ProgressReport[] = [];
    let isAway = true;
    const send = async (report: ProgressReport) => {
      if (isAway) throw new Error("the gateway is away");
      return arrived.push(report) > 0;
    };
    const progress = new Progress(send, new Scrubber());
    const last = (step: string) => until(() => arrived.at(-1)?.step === step);
    progress.step("apply");
    progress.unsaved("onItsWay", true);
    await delay(TOLD_MS);
    isAway = false;
    await last("save state");
    isAway = true;
    progress.unsaved("onItsWay", false);
    await delay(TOLD_MS);
    isAway = false;
    await last("apply");
    progress.stop();
  });

  for (const isUnsaved of [true, false]) {
    it(`is told again where a state was ${isUnsaved ? "unsaved" : "safe"}, is so again, and an answer in between was lost`, async function () {
      this.timeout(20_000);
      const written: string[] = [];
      let answered = Promise.resolve(true);
      const send = ({ step }: ProgressReport) => {
        written.push(step);
        return answered;
      };
      const progress = new Progress(send, new Scrubber());
      progress.step("apply");
      progress.unsaved("onItsWay", isUnsaved);
      await delay(TOLD_MS);
      const { promise, reject } = Promise.withResolvers<boolean>();
      answered = promise;
      progress.unsaved("onItsWay", !isUnsaved);
      await delay(TOLD_MS);
      progress.unsaved("onItsWay", isUnsaved);
      answered = Promise.resolve(true);
      reject(new Error("the gateway has written it, and its answer is lost"));
      await until(() => written.length === 3);
      progress.stop();
      assert.equal(written[2], isUnsaved ? "save state" : "apply");
    });
  }

  it("is told again where it was heard and not written", async function () {
    this.timeout(20_000);
    const told: string[] = [];
    const progress = new Progress(async ({ step }) => told.push(step) > 1, new Scrubber());
    progress.step("apply");
    await until(() => told.length === 2);
    progress.stop();
    assert.deepEqual(told, ["apply", "apply"]);
  });

  it("is not written where the gateway says so", async () => {
    const gateway = createServer((_, response) => void response.writeHead(202).end()).listen(0, "127.0.0.1");
    await once(gateway, "listening");
    const client = new GatewayClient({
      url: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`,
      ca: undefined,
      tokenFile: "",
      claim: { run: "r", namespace: "n", phase: "Plan" },
    });
    client.resume("a session");
    assert.equal(await client.progress({ step: "apply" }), false);
    client.close();
    gateway.close();
  });
});
