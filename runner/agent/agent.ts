/** The life of the agent: claim, attempt, report, let the engine container end. */
import { createHmac } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { WorkOrder } from "../../operator/gateway/protocol.ts";
import { connectEngine, type EngineClient, EngineHeld } from "../engine-client.ts";
import { sayFarewell } from "../farewell.ts";
import { type Bench, sayAway, stateUser } from "./bench.ts";
import type { AgentConfig } from "./config.ts";
import type { Outcome } from "./ending.ts";
import { keepErroredState } from "./errored-state.ts";
import { GatewayClient, GatewayRefused } from "./gateway-client.ts";
import { Journal } from "./journal.ts";
import type { PodLayout } from "./layout.ts";
import { MountedObjects } from "./mounted.ts";
import { patiently } from "./patience.ts";
import { Printer } from "./printer.ts";
import { Progress } from "./progress.ts";
import { pushResult, resultOf, writeTermination } from "./report.ts";
import { Scrubber } from "./scrub.ts";
import { Spool } from "./spool.ts";
import { StateRelay } from "./state-relay.ts";
import { startStateServer } from "./state-server.ts";
import { attempt } from "./story.ts";

export interface AgentOptions {
  readonly config: AgentConfig;
  readonly layout: PodLayout;
  /** Aborts when the pod is told to end. */
  readonly ending: AbortSignal;
  readonly print: (text: string) => void;
}

/** 0: there is nothing more to do. 1: the container should be started again. */
export type ExitCode = 0 | 1;

type Basics = Pick<Bench, "config" | "layout" | "gateway" | "spool" | "scrubber" | "printer" | "engine" | "ending"> &
  Partial<Pick<Bench, "relay">>;

export async function runAgent(options: AgentOptions): Promise<ExitCode> {
  const basics = await laidOut(options);
  let exitCode: ExitCode = 1;
  try {
    exitCode = await runToItsEnd(basics);
    return exitCode;
  } finally {
    // The kubelet starts no container again that has ended well.
    if (exitCode === 0) sayFarewell(options.layout.socket);
    basics.gateway.close();
  }
}

async function runToItsEnd(basics: Basics): Promise<ExitCode> {
  const before = await basics.spool.read("result");
  if (before !== undefined) {
    await claimed(basics);
    await pushResult(basics, before);
    return finish(basics, before.outcome.result);
  }
  const order = await claimed(basics);
  return order === undefined ? finish(basics, "Failed") : work(basics, order);
}

async function work(basics: Basics, order: WorkOrder): Promise<ExitCode> {
  const bench = await setUp(basics, order);
  try {
    const end = await attempt(bench);
    // Whatever was handed over reaches the store before the result closes the Run.
    await bench.relay.drained();
    await bench.journal.flushed();
    bench.progress.stop();
    if (end.type === "held") {
      bench.printer.say("the plan waits for approval: another pod applies exactly this plan, or nobody does");
      return await finish(bench, "Waiting");
    }
    const result = resultOf(bench, end);
    await bench.spool.writeIfRoom("result", result);
    await writeTermination(bench.layout.terminationLog, result.outcome);
    bench.printer.say(`${result.outcome.result}: ${result.outcome.message}`);
    await pushResult(bench, result);
    return await finish(bench, result.outcome.result);
  } finally {
    await bench.stateServer.close();
  }
}

async function laidOut({ config, layout, ending, print }: AgentOptions): Promise<Basics> {
  const scrubber = new Scrubber();
  const printer = new Printer(scrubber, print);
  const spool = new Spool(layout.spool, (message) => printer.say(message));
  await mkdir(layout.spool, { recursive: true, mode: 0o700 });
  const { gatewayUrl: url, gatewayCa: ca, namespace, run, phase } = config;
  const gateway = new GatewayClient({ url, ca, tokenFile: layout.token, claim: { namespace, run, phase } });
  // A launcher that lives comes back at once to an agent that was started again; at first its image may still be on its way.
  const connectTimeoutMs = (await spool.read("order")) === undefined ? 120_000 : 15_000;
  // The launcher connects while the claim is made.
  const engine = connectEngine({ socketPath: layout.socket, connectTimeoutMs, signal: ending });
  engine.catch(() => {});
  const heard = AbortSignal.any([ending, heardByLauncher(engine)]);
  return { config, layout, gateway, spool, scrubber, printer, engine, ending: heard };
}

/** Aborts when the launcher was told to end. Both containers are, with their pod, and one that has just begun may not hear it. */
function heardByLauncher(engine: Promise<EngineClient>): AbortSignal {
  const heard = new AbortController();
  const abort = () => heard.abort(new Error("the engine's container was told to end"));
  engine.then((client) => client.onTerminating(abort)).catch(() => {});
  return heard.signal;
}

/**
 * Undefined: this pod must not work. In the middle of an apply the old order counts: a token may be dead by then; and where the pod is to end, it
 * tells how.
 */
async function claimed(basics: Basics): Promise<WorkOrder | undefined> {
  const { gateway, spool, printer, ending } = basics;
  const [before, applying, result] = [
    await spool.read("order"),
    await spool.read("applying"),
    await spool.read("result"),
  ];
  const resumed = (order: WorkOrder): WorkOrder => {
    gateway.resume(order.session);
    return order;
  };
  if (before !== undefined && (applying ?? result) !== undefined) return resumed(before);
  try {
    const order = await patiently(() => gateway.claim(ending), { signal: ending, onAway: sayAway(basics) });
    await spool.writeIfRoom("order", order);
    return order;
  } catch (error) {
    if (ending.aborted && before !== undefined) return resumed(before);
    if (ending.aborted && applying === undefined) {
      printer.say("told to end before there was an order: nothing was done");
      return undefined;
    }
    if (!(error instanceof GatewayRefused)) throw error;
    printer.say(`the gateway refuses this pod (${error.code}): ${error.message}. Nothing was done`);
    return undefined;
  }
}

async function setUp(basics: Basics, order: WorkOrder): Promise<Bench> {
  const { layout, gateway, spool, scrubber } = basics;
  const onAway = sayAway(basics);
  const password = statePassword(order);
  scrubber.add(order.session, password, order.digestKey, `${stateUser}:${password}`);
  const isCheck = order.operation === "Check";
  const say = (message: string) => basics.printer.say(message);
  // Nobody follows a Check: it tells nothing before its end.
  const progress = new Progress((report) => (isCheck ? Promise.resolve(true) : gateway.progress(report)), scrubber);
  const relay = new StateRelay({
    gateway,
    folder: join(layout.spool, "state"),
    onAway,
    onUnsaved: (isUnsaved) => progress.unsaved("onItsWay", isUnsaved),
    say,
    isReadOnly: isCheck,
  });
  const journal = new Journal(gateway, spool, scrubber, onAway);
  await relay.open();
  await journal.open();
  const port = layout.statePort;
  const isApplying = async () => (await spool.read("applying")) !== undefined;
  return {
    ...basics,
    order,
    relay,
    journal,
    statePassword: password,
    stateServer: await startStateServer({ relay, isApplying, port, username: stateUser, password }),
    progress,
    mounted: new MountedObjects(layout),
  };
}

/** The same for both pods of a Run, since a saved plan holds it; of no use outside of them. */
function statePassword({ digestKey, run }: WorkOrder): string {
  return createHmac("sha256", Buffer.from(digestKey, "base64")).update(`state of ${run.uid}`).digest("base64url");
}

/** An engine container that cannot be reached has ended, or will end by itself. */
async function finish(basics: Basics, result: Outcome["result"]): Promise<ExitCode> {
  const well = ["Applied", "Unchanged", "Drifted", "Destroyed", "Waiting"].includes(result);
  const client: EngineClient | undefined = await basics.engine.catch(() => undefined);
  const acknowledgeErroredState = (await nothingUnsaved(basics)) || well;
  try {
    await client?.finish({ acknowledgeErroredState, exitCode: well ? 0 : 1 });
    return 0;
  } catch (error) {
    if (!(error instanceof EngineHeld)) throw error;
    basics.printer.say(`the engine container stays: ${error.message}`);
    client?.close();
    return 1;
  }
}

/** True: whatever the engine has left is in the store. It may leave something yet while it runs, although the result is told. */
async function nothingUnsaved({ spool, gateway, layout, printer, relay }: Basics): Promise<boolean> {
  const begun = await spool.read("applying");
  if (begun === undefined) return true;
  const say = (text: string) => printer.say(text);
  return (await keepErroredState(begun.cwd, { spool, gateway, relay, out: layout.out, say })) !== undefined;
}
