/** What every step of an attempt works with, put together in main.ts and in tests. */
import type { WorkOrder } from "../../operator/gateway/protocol.ts";
import type { EngineClient } from "../engine-client.ts";
import type { AgentConfig } from "./config.ts";
import type { GatewayClient } from "./gateway-client.ts";
import type { Journal } from "./journal.ts";
import type { PodLayout } from "./layout.ts";
import type { MountedObjects } from "./mounted.ts";
import type { Printer } from "./printer.ts";
import type { Progress } from "./progress.ts";
import type { Scrubber } from "./scrub.ts";
import type { Spool } from "./spool.ts";
import type { StateRelay } from "./state-relay.ts";
import type { StateServer } from "./state-server.ts";

export interface Bench {
  readonly config: AgentConfig;
  readonly layout: PodLayout;
  readonly order: WorkOrder;
  readonly gateway: GatewayClient;
  readonly relay: StateRelay;
  readonly stateServer: StateServer;
  readonly statePassword: string;
  readonly spool: Spool;
  readonly journal: Journal;
  readonly progress: Progress;
  readonly scrubber: Scrubber;
  readonly printer: Printer;
  readonly mounted: MountedObjects;
  /** The launcher may still be on its way. */
  readonly engine: Promise<EngineClient>;
  /** Aborts when the pod is told to end, whichever of its containers has heard it. */
  readonly ending: AbortSignal;
}

export const stateUser = "terrarium";

/** What a wait for the gateway tells the reader of the log. */
export function sayAway({ printer }: Pick<Bench, "printer">): (message: string) => void {
  return (message) => printer.say(`the gateway is away, trying on: ${message}`);
}
