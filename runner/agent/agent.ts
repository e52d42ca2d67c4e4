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
    exitCode = await live(basics);
    return exitCode;
  } finally {
    if (exitCode === 0 || options.ending.aborted) sayFarewell(options.layout.socket);
    basics.gateway.close();
  }
}

async function live(basics: Basics): Promise<ExitCode> {
  const before = await basics.spool.read("result");
  if (before !== undefined) {
    await claimed(basics);
    await pushResult(basics, before);
    return finish(basics, before.outcome);
  }
  const order = await claimed(basics);
  if (order === undefined) return finish(basics, refusedOutcome);
  return work(basics, order);
}

const refusedOutcome: Outcome = {
  result: "Failed",
  reason: "RunnerLost",
  message: "the gateway refused this pod: nothing was done",
};

/** Nobody is told this: the Run goes on. It says only that there is nothing to keep the containers for. */
const heldOutcome: Outcome = { result: "Waiting", reason: "AwaitingApproval", message: "the plan waits" };

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
      return await finish(bench, heldOutcome);
    }
    const result = resultOf(bench, end);
    await bench.spool.writeIfRoom("result", result);
    await writeTermination(bench.layout.terminationLog, result.outcome);
    bench.printer.say(`${result.outcome.result}: ${result.outcome.message}`);
    await pushResult(bench, result);
    return await finish(bench, result.outcome);
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
  return { config, layout, gateway, spool, scrubber, printer, engine, ending };
}

/** Undefined: this pod must not work. In the middle of an apply the old order counts: a token may be dead by then. */
async function claimed(basics: Basics): Promise<WorkOrder | undefined> {
  const { gateway, spool, printer, ending } = basics;
  const before = await spool.read("order");
  if (
    before !== undefined &&
    ((await spool.read("applying")) !== undefined || (await spool.read("result")) !== undefined)
  ) {
    gateway.resume(before.session);
    return before;
  }
  try {
    const order = await patiently(() => gateway.claim(ending), { signal: ending, onAway: sayAway(basics) });
    await spool.writeIfRoom("order", order);
    return order;
  } catch (error) {
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
async function finish(basics: Basics, { result }: Outcome): Promise<ExitCode> {
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
