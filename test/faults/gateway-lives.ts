import { judgeFor } from "../../operator/assembly/judge.ts";
import { createClient } from "../../operator/cluster/client.ts";
import { createTransport, type Transport } from "../../operator/cluster/transport.ts";
import { appliedDigestOf } from "../../operator/environment/digest.ts";
import { type Gateway, startGateway } from "../../operator/gateway/gateway.ts";
import { GATEWAY_FIELD_MANAGER } from "../../operator/gateway/run-status.ts";
import { systemClock } from "../../operator/loop/clock.ts";
import type { LiveKeyRing } from "../../operator/storage/key-ring.ts";
import { createSecretStore } from "../../operator/storage/secret-store.ts";
import { CATALOGUE } from "../fakes/objects.ts";
import { openDoor } from "./door.ts";
import { type Lives, type LivesOptions, livesOf, type Mortal } from "./lives.ts";
import type { Line } from "./proxy.ts";
import { connectionTo } from "./stage.ts";

export interface GatewayLivesOptions extends Pick<LivesOptions, "openLine" | "fateOf" | "tell"> {
  readonly home: string;
  readonly ring: LiveKeyRing;
  /** Told of what it logs as an error. */
  readonly complain: (what: string) => void;
}

/** What pods and the operator know of it: an address and a certificate, behind which one process takes the place of another. */
export interface GatewayLives extends Omit<Gateway, "close">, Lives {}

/** That of another replica: it outlives the operators that are killed, and they outlive it. */
export async function gatewayLives(options: GatewayLivesOptions): Promise<GatewayLives> {
  const door = await openDoor();
  let caPem = (): string => "";
  const start = async (line: Line): Promise<Mortal> => {
    const connection = await connectionTo(line.url);
    const transport = createTransport({ connection, clock: systemClock });
    const gateway = await gatewayOn(transport, options).catch(async (error: unknown) => {
      await connection.close();
      throw error;
    });
    caPem = gateway.caPem;
    door.leadTo(gateway.url);
    return {
      async kill() {
        door.leadTo(undefined);
        line.cut();
        await gateway.close();
        await connection.close();
      },
    };
  };
  const lives = await livesOf({ ...options, name: "gateway", start });
  return {
    ...lives,
    url: door.url,
    caPem: () => caPem(),
    async close() {
      await lives.close();
      await door.close();
    },
  };
}

/** Plans are judged as in an installation; no story here has an expression. */
function gatewayOn(transport: Transport, { home, ring, complain }: GatewayLivesOptions): Promise<Gateway> {
  const client = createClient(transport, { fieldManager: GATEWAY_FIELD_MANAGER });
  const store = createSecretStore({ client: createClient(transport), namespace: home, ring });
  const evaluate = () => Promise.reject(new Error("no rule of these stories has an expression"));
  return startGateway({
    client,
    store,
    judge: judgeFor({ client, store, clock: systemClock, catalogue: CATALOGUE, evaluate }),
    ring,
    namespace: home,
    hosts: ["127.0.0.1"],
    listen: { host: "127.0.0.1", port: 0 },
    digestOfApplied: appliedDigestOf,
    clock: systemClock,
    log: { info: () => {}, error: (facts, message) => complain(`the gateway: ${message} ${JSON.stringify(facts)}`) },
  });
}
