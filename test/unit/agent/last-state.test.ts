import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UNSAVED_STATE_STEP } from "../../../operator/api/run-status.ts";
import type { WorkOrder } from "../../../operator/gateway/protocol.ts";
import { runAgent } from "../../../runner/agent/agent.ts";
import { stateUser } from "../../../runner/agent/bench.ts";
import { podLayout } from "../../../runner/agent/layout.ts";
import { aWorkOrder, type FakeGateway, startGateway } from "../../fakes/gateway.ts";

const aState = JSON.stringify({ version: 4, lineage: "l", serial: 3, terraform_version: "1", resources: [] });
const LOCK = { ID: "L1", Operation: "", Info: "", Who: "", Version: "", Created: "", Path: "" };

describe("a state that an engine hands over when its agent has lost it already", () => {
  const order = aWorkOrder();
  let root = "";
  let gateway: FakeGateway;
  let port = 0;

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "last-"));
    mkdirSync(join(root, "spool"));
    writeFileSync(join(root, "spool/order.json"), JSON.stringify(order));
    writeFileSync(join(root, "spool/applying.json"), JSON.stringify({ digest: "sha256:1", cwd: join(root, "out") }));
    gateway = await startGateway(order);
    gateway.memory.lock = LOCK;
    port = await aFreePort();
  });
  afterEach(async () => {
    await gateway.close();
    rmSync(root, { recursive: true });
  });

  /** The pod was told to end, and its launcher does not come back. */
  function theAgent() {
    const path = (name: string) => join(root, name);
    const files = { spool: path("spool"), out: path("out"), socket: path("socket"), terminationLog: path("log") };
    const config = { gatewayCa: undefined, namespace: "n", run: "r", phase: "Plan", engine: "opentofu" } as const;
    return runAgent({
      config: { ...config, gatewayUrl: gateway.url, cliConfigFile: undefined },
      layout: { ...podLayout, ...files, statePort: port },
      ending: AbortSignal.abort(),
      print: () => {},
    });
  }

  const handOver = () =>
    fetch(`http://127.0.0.1:${port}/state?ID=${LOCK.ID}`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa(`${stateUser}:${statePassword(order)}`)}` },
      body: aState,
    });

  it("is told to be only in the pod, too, until the store has it", async () => {
    const { memory } = gateway;
    let isHandedOver = false;
    memory.refuse = (request) => {
      const isAway = request === "POST /v1/state" || (request === "GET /v1/state" && !isHandedOver);
      return isAway ? "StoreUnavailable" : undefined;
    };
    const ended = theAgent();
    await gateway.until(({ requests }) => requests.includes("GET /v1/state"), "the last look of the attempt");
    const answered = handOver();
    await gateway.until(({ requests }) => requests.includes("POST /v1/state"), "the state");
    isHandedOver = true;
    await gateway.until(({ progress }) => progress.some(({ step }) => step === UNSAVED_STATE_STEP), "the word of it");
    assert.equal(memory.result, undefined);
    memory.refuse = () => undefined;
    assert.equal((await answered).status, 200);
    assert.equal(await ended, 0);
    assert.equal(memory.state?.toString(), aState);
  });
});

function statePassword({ digestKey, run }: WorkOrder): string {
  return createHmac("sha256", Buffer.from(digestKey, "base64")).update(`state of ${run.uid}`).digest("base64url");
}

async function aFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
