import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bench } from "../../../runner/agent/bench.ts";
import { GatewayClient } from "../../../runner/agent/gateway-client.ts";
import { Journal } from "../../../runner/agent/journal.ts";
import { podLayout } from "../../../runner/agent/layout.ts";
import { MountedObjects } from "../../../runner/agent/mounted.ts";
import { Printer } from "../../../runner/agent/printer.ts";
import { Progress } from "../../../runner/agent/progress.ts";
import { Scrubber } from "../../../runner/agent/scrub.ts";
import { Spool } from "../../../runner/agent/spool.ts";
import { StateRelay } from "../../../runner/agent/state-relay.ts";
import { aWorkOrder, startGateway } from "../../fakes/gateway.ts";

interface BenchParts extends Pick<Bench, "order" | "layout" | "engine"> {
  readonly client: GatewayClient;
  readonly gatewayUrl: string;
  readonly print?: (text: string) => void;
}

/** All that an agent works with, in folders of `layout` and against the gateway of a test. */
export function benchOf({ order, layout, engine, client, gatewayUrl, print = () => {} }: BenchParts): Bench {
  const scrubber = new Scrubber();
  const spool = new Spool(layout.spool);
  return {
    config: {
      gatewayUrl,
      gatewayCa: undefined,
      namespace: "n",
      run: "r",
      phase: "Plan",
      engine: "opentofu",
      cliConfigFile: undefined,
    },
    layout,
    order,
    gateway: client,
    relay: new StateRelay({ gateway: client, folder: join(layout.spool, "state"), onAway: () => {} }),
    stateServer: { port: 0, close: async () => {} },
    statePassword: "",
    spool,
    scrubber,
    journal: new Journal(client, spool, scrubber, () => {}),
    progress: new Progress(async () => true, scrubber),
    printer: new Printer(scrubber, print),
    mounted: new MountedObjects(layout),
    engine,
    ending: new AbortController().signal,
  };
}

/** A folder as a pod has it, and a gateway that its agent speaks to. */
export async function agentPlace() {
  const root = mkdtempSync(join(tmpdir(), "agent-"));
  mkdirSync(join(root, "out/work/live"), { recursive: true });
  mkdirSync(join(root, "spool"));
  writeFileSync(join(root, "token"), "a token");
  const gateway = await startGateway(aWorkOrder());
  const claim = { run: "r", namespace: "n", phase: "Plan" } as const;
  const client = new GatewayClient({ url: gateway.url, ca: undefined, tokenFile: join(root, "token"), claim });
  const layout = { ...podLayout, out: join(root, "out"), work: join(root, "out/work"), spool: join(root, "spool") };
  return {
    gateway,
    /** Where the engine works. */
    live: join(root, "out/work/live"),
    /** For a bench. */
    speaker: { client, layout, gatewayUrl: gateway.url },
    async remove() {
      client.close();
      await gateway.close();
      rmSync(root, { recursive: true });
    },
  };
}
