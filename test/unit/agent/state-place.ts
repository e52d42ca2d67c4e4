import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GatewayClient } from "../../../runner/agent/gateway-client.ts";
import { StateRelay } from "../../../runner/agent/state-relay.ts";
import { startStateServer } from "../../../runner/agent/state-server.ts";
import { aWorkOrder, startGateway } from "../../fakes/gateway.ts";

export const aState = (serial: number, lineage = "one") =>
  Buffer.from(JSON.stringify({ version: 4, lineage, serial, terraform_version: "1.12.6", outputs: {}, resources: [] }));

/** As the state, and as a recovery copy. */
export const refuseStates = (request: string) =>
  request === "POST /v1/state" || request === "PUT /v1/recovery" ? "StateOwnedByOther" : undefined;

export const lockInfo = (id: string) => ({
  ID: id,
  Operation: "apply",
  Info: "",
  Who: "",
  Version: "",
  Created: "",
  Path: "",
});

/**
 * The place of a state between an engine, which speaks to `ask`, and a fake gateway; each is left, with all that it still
 * holds sent, when its test has ended.
 */
export function statePlaces() {
  const leaving: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const leave of leaving.splice(0)) await leave();
  });

  return async () => {
    const root = mkdtempSync(join(tmpdir(), "state-"));
    writeFileSync(join(root, "token"), "a token");
    const gateway = await startGateway(aWorkOrder());
    const client = new GatewayClient({
      url: gateway.url,
      ca: undefined,
      tokenFile: join(root, "token"),
      claim: { run: "r", namespace: "n", phase: "Plan" },
    });
    const told: boolean[] = [];
    const newRelay = (folder = "state", patienceMs = 50) =>
      new StateRelay({
        gateway: client,
        folder: join(root, folder),
        onAway: () => {},
        onUnsaved: (isUnsaved) => void told.push(isUnsaved),
        patienceMs,
        refusedWaitMs: 20,
      });
    let applying = true;
    const serve = () =>
      startStateServer({ relay, isApplying: async () => applying, port: 0, username: "engine", password: "secret" });
    let relay = newRelay();
    let server = await serve();
    leaving.push(async () => {
      // A relay that still holds something tries for as long as the process lives.
      gateway.memory.away = false;
      gateway.memory.refuse = () => undefined;
      await relay.drained();
      await server.close();
      client.close();
      await gateway.close();
      rmSync(root, { recursive: true });
    });
    return {
      root,
      gateway,
      client,
      /** What was told of the state: true where it is only here. */
      told,
      newRelay,
      relay: () => relay,
      server: () => server,
      /** The engine was not told to apply. */
      beOnlyPlanning(): void {
        applying = false;
      },
      /** From now on the engine waits for the gateway's own word, however long that takes. */
      async bePatient(): Promise<void> {
        await server.close();
        relay = newRelay("state", 60_000);
        server = await serve();
      },
      ask: (method: string, query = "", body?: Buffer | string) =>
        fetch(`http://127.0.0.1:${server.port}/state${query}`, {
          method,
          headers: { authorization: `Basic ${btoa("engine:secret")}` },
          ...(body === undefined ? {} : { body: body.toString() }),
        }),
    };
  };
}
