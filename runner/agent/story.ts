/** One attempt from its work order to its outcome. */

import { join } from "node:path";
import { parseState } from "../../operator/engine/state.ts";
import { CALLED_OFF, type HeldPlan, type Verdict } from "../../operator/gateway/protocol.ts";
import type { EngineClient } from "../engine-client.ts";
import { applyPlan, lostApply, rejoinApply } from "./apply-step.ts";
import { type Bench, sayAway, stateUser } from "./bench.ts";
import { checked } from "./check-step.ts";
import { withFullDisk } from "./disk.ts";
import { Ended, failed } from "./ending.ts";
import { presentSecrets } from "./engine-secrets.ts";
import { EngineSession } from "./engine-session.ts";
import { mustBeAsGiven } from "./given.ts";
import { askAgain, holdPlan, layOutHeld } from "./held-step.ts";
import { type Inputs, inputsDigest, resolveInputs } from "./inputs.ts";
import { FILES } from "./layout.ts";
import { layOutModule, type ModuleLayout } from "./module-layout.ts";
import { patiently } from "./patience.ts";
import { initialiseAsPlanned, makePlan, type Planned } from "./plan-step.ts";
import { tellPlan } from "./plan-text.ts";
import { type FetchedSource, fetchSource } from "./source.ts";
import { endBy, finished, type StoryEnd, type Told, told } from "./told.ts";

/** Never rejects for what an engine, a source or an input did: that is an outcome. */
export async function attempt(bench: Bench): Promise<StoryEnd> {
  let fetched: FetchedSource | undefined;
  try {
    const begun = await bench.spool.read("applying");
    if (begun !== undefined) return await rejoin(bench, begun);
    if (await nothingToDestroy(bench)) return destroyed();

    fetched = await fetchInputs(bench);
    const inputs = await resolve(bench, fetched);
    // With a plan that waited came its source, and the gateway compares the inputs.
    if (bench.order.held === undefined) await mustBeAsGiven(bench, fetched, inputs);
    const module = await layOut(bench, fetched, inputs);
    const { held } = bench.order;
    if (held !== undefined) return await applyHeld(bench, fetched, inputs, module, held);

    const engine = await startEngine(bench, module.cwd);
    const planned = await plan(bench, engine, fetched, inputs, module);
    if (bench.order.operation === "Check")
      return { ...checked(bench, planned, await bench.relay.read(bench.ending)), ...login(fetched) };
    const judged = await judge(bench, fetched, inputs, planned);
    if (judged.verdict !== "Apply") await tellPlan(bench);

    if (judged.verdict === "Hold" && !isEmpty(bench, planned)) return await hold(bench);
    if (judged.verdict !== "Apply" || isEmpty(bench, planned))
      return { ...(await unapplied(bench, planned, judged)), ...login(fetched) };
    const ready = { report: planned.report, plan: join(bench.layout.out, FILES.plan) };
    return { ...(await apply(bench, engine, fetched, inputs, module, ready)), ...login(fetched) };
  } catch (error) {
    return { ...(await endBy(error, bench)), ...login(fetched) };
  }
}

async function fetchInputs(bench: Bench): Promise<FetchedSource> {
  const { order, spool, progress } = bench;
  // However long it takes, and the engine's container to come: that the agent works is told from now on.
  progress.step("source");
  // What an agent before this one fetched is what the engine has.
  const before = await spool.read("fetched");
  if (!("archive" in order.source)) await resolveInputs(order, bench.mounted, undefined);
  const revision = before?.revision ?? order.revision;
  const source = await fetchSource(
    { ...order, ...(revision === undefined ? {} : { revision }) },
    { ...bench, signal: bench.ending },
  );
  await spool.write("fetched", source.revision === undefined ? {} : { revision: source.revision });
  return source;
}

async function resolve({ order, mounted, scrubber, spool }: Bench, { archived }: FetchedSource): Promise<Inputs> {
  const inputs = await resolveInputs(order, mounted, archived);
  // The engine may still print what an agent before this one gave it.
  const hidden = new Set([...((await spool.read("secrets")) ?? []), ...inputs.secrets]);
  scrubber.add(...hidden);
  await spool.write("secrets", [...hidden]);
  return inputs;
}

function layOut(bench: Bench, { root, archived }: FetchedSource, { values }: Inputs): Promise<ModuleLayout> {
  const { order, config, layout } = bench;
  const path = archived?.path ?? order.path;
  const { overrideBackend, ownVariables: own = [] } = order;
  return layOutModule(
    { root, path, engine: config.engine, overrideBackend, values, own, lockFile: archived?.lockFile },
    layout,
  );
}

async function startEngine(bench: Bench, cwd: string): Promise<EngineSession> {
  const engine = engineSession(bench, await bench.engine, cwd);
  bench.ending.throwIfAborted();
  const { refused } = await engine.prepare();
  if (refused !== undefined)
    throw new Ended(await withFullDisk(failed("SourceInvalid", refused).outcome, bench.layout.out));
  return engine;
}

export function engineSession(bench: Bench, client: EngineClient, cwd: string): EngineSession {
  const backend = { port: bench.stateServer.port, username: stateUser, password: bench.statePassword };
  const engine = new EngineSession({ ...bench, client, cwd, backend, cliConfigFile: bench.config.cliConfigFile });
  if (bench.ending.aborted) engine.terminate();
  bench.ending.addEventListener("abort", () => engine.terminate(), { once: true });
  return engine;
}

async function plan(
  bench: Bench,
  engine: EngineSession,
  { gitHosts, revision, files }: FetchedSource,
  inputs: Inputs,
  module: ModuleLayout,
): Promise<Planned> {
  const { env, dropped } = await presentSecrets(bench.layout, inputs.credentials, "Plan", gitHosts);
  if (dropped.length > 0) bench.printer.say(`credentials may not set ${dropped.join(", ")}: left out`);
  const digest = inputsDigest(inputs, bench.order.digestKey, files);
  const planned = await makePlan(bench, engine, { module, env, inputsDigest: digest, revision });
  await bench.relay.drained();
  return planned;
}

/** The archive first: whatever may be applied can be destroyed. */
async function judge(bench: Bench, fetched: FetchedSource, inputs: Inputs, planned: Planned): Promise<Verdict> {
  const { gateway, order, spool } = bench;
  const before = await spool.read("planned");
  if (before !== undefined) {
    if (before.report.digest === planned.report.digest) return before.verdict;
    throw failed("PlanFailed", "the plan changed after it was judged: nothing was applied");
  }
  const onAway = sayAway(bench);
  if (fetched.archived === undefined) {
    const { packArchive } = await import("./archive.ts");
    const kept = inputs.credentials.filter((credential) => credential.order.keepForDestroy);
    const archive = await packArchive(fetched.root, {
      path: order.path,
      ...(fetched.revision === undefined ? {} : { revision: fetched.revision }),
      variables: inputs.values,
      secrets: inputs.secrets,
      ...(planned.lockFile === undefined ? {} : { lockFile: planned.lockFile }),
      credentials: new Map(kept.map((credential) => [credential.order.name, credential.data])),
    });
    await patiently(() => gateway.putArchive(archive), { onAway, signal: bench.ending });
  }
  const request = { ...planned.report, ...login(fetched) };
  const verdict = await patiently(() => gateway.plan(request), { onAway, signal: bench.ending });
  await spool.write("planned", { report: planned.report, verdict });
  return verdict;
}

/** An empty plan of a destroy is applied all the same: it takes what is gone out of the state. */
function isEmpty({ order }: Bench, { report }: Planned): boolean {
  return report.empty && order.operation === "Apply";
}

async function hold(bench: Bench): Promise<StoryEnd> {
  bench.progress.step("hold");
  await holdPlan(bench);
  return { type: "held" };
}

/** The second pod of a Run: the plan was made, judged and approved before it began. */
async function applyHeld(
  bench: Bench,
  fetched: FetchedSource,
  inputs: Inputs,
  module: ModuleLayout,
  held: HeldPlan,
): Promise<StoryEnd> {
  const plan = await layOutHeld(bench, held);
  const engine = await startEngine(bench, module.cwd);
  const { env } = await presentSecrets(bench.layout, inputs.credentials, "Plan", fetched.gitHosts);
  await initialiseAsPlanned(bench, engine, module.cwd, env);
  await askAgain(bench, held, inputsDigest(inputs, bench.order.digestKey, fetched.files));
  return apply(bench, engine, fetched, inputs, module, { report: held, plan });
}

async function unapplied(bench: Bench, planned: Planned, { verdict, reason, message }: Verdict): Promise<Told> {
  if (verdict === "Refuse") {
    if (CALLED_OFF.includes(reason)) return told({ result: "Cancelled", reason, message });
    const result = reason === "Interrupted" ? "Interrupted" : "Failed";
    return told({ result, reason, message, retry: "Never" });
  }
  const state = await bench.relay.read(bench.ending);
  const facts = state === undefined ? undefined : parseState(state.toString("utf8"));
  return {
    type: "told",
    outcome: {
      result: "Unchanged",
      reason: "Unchanged",
      message: "the plan was empty: nothing had to be applied",
      ...revisionOf(planned),
      ...(facts === undefined ? {} : { stateSerial: facts.serial, resources: facts.resourceCount }),
    },
    outputsOf: state,
  };
}

/** A plan that may be applied now. */
interface Ready {
  readonly report: HeldPlan;
  /** The file that holds it. */
  readonly plan: string;
}

async function apply(
  bench: Bench,
  engine: EngineSession,
  fetched: FetchedSource,
  inputs: Inputs,
  module: ModuleLayout,
  ready: Ready,
): Promise<Told> {
  const { order, progress, spool, layout } = bench;
  const { digest, counts } = ready.report;
  if (engine.terminating) bench.ending.throwIfAborted();
  const phase = order.operation === "Destroy" ? "Destroy" : "Apply";
  const { env } = await presentSecrets(layout, inputs.credentials, phase, fetched.gitHosts);
  progress.step(phase.toLowerCase(), counts.create + counts.update + counts.replace + counts.delete);
  await spool.write("applying", { digest, cwd: module.cwd, ...revisionOf(ready), ...login(fetched) });
  const { ephemeralVariableFile } = module;
  const end = await applyPlan(bench, engine, { digest, plan: ready.plan, cwd: module.cwd, env, ephemeralVariableFile });
  return finished(end, revisionOf(ready));
}

/** The agent was restarted in an apply: the engine went on meanwhile, or it never began. It is never begun here. */
async function rejoin(
  bench: Bench,
  begun: { cwd: string; revision?: string | undefined; sourceCredentials?: FetchedSource["sourceCredentials"] },
): Promise<Told> {
  bench.scrubber.add(...((await bench.spool.read("secrets")) ?? []));
  const client = await bench.engine;
  const { running, finished: done = [] } = client.hello ?? {};
  if (running !== "apply" && !done.includes("apply")) {
    // This launcher has done what comes before and has not heard of the apply: the agent died between its mark and its word.
    if (done.includes("show") || (bench.order.held !== undefined && done.includes("init")))
      throw failed("RunnerLost", "the agent was restarted before the apply began: nothing was applied");
    return finished(await lostApply(bench, begun.cwd, "the engine container was started anew"), {});
  }
  bench.progress.step("apply");
  const end = await rejoinApply(bench, engineSession(bench, client, begun.cwd), begun.cwd);
  const revision = begun.revision === undefined ? {} : { revision: begun.revision };
  return { ...finished(end, revision), ...login(begun) };
}

async function nothingToDestroy({ order, relay }: Bench): Promise<boolean> {
  if (order.operation !== "Destroy") return false;
  const state = order.stateExists ? await relay.read() : undefined;
  return state === undefined || parseState(state.toString("utf8")).resourceCount === 0;
}

function destroyed(): Told {
  const message = "the state holds nothing: there was nothing to destroy";
  return told({ result: "Destroyed", reason: "Destroyed", message, resources: 0 });
}

function login(from: { readonly sourceCredentials?: FetchedSource["sourceCredentials"] } | undefined) {
  return from?.sourceCredentials === undefined ? {} : { sourceCredentials: from.sourceCredentials };
}

function revisionOf({ report }: Pick<Planned, "report">): { readonly revision?: string } {
  return report.revision === undefined ? {} : { revision: report.revision };
}
