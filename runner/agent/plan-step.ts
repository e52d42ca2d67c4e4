/** init, plan, show: and the report from which the gateway decides. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { initArguments, planArguments, showPlanArguments } from "../../operator/engine/arguments.ts";
import { initialisedBackend } from "../../operator/engine/backend.ts";
import { lockFile } from "../../operator/engine/names.ts";
import { parsePlanText } from "../../operator/engine/plan-document.ts";
import type { PlanReport } from "../../operator/gateway/protocol.ts";
import type { Bench } from "./bench.ts";
import { withFullDisk } from "./disk.ts";
import { Ended, failed } from "./ending.ts";
import { engineFailure, hasFailed } from "./engine-failure.ts";
import type { EngineSession } from "./engine-session.ts";
import { FILES } from "./layout.ts";
import type { ModuleLayout } from "./module-layout.ts";
import { planReportOf } from "./plan-report.ts";
import { readOwn } from "./tree.ts";

const planGraceMs = 60_000;
/** Reading a plan takes no longer than this, whatever init and plan have left of their time. */
const showTimeoutMs = 120_000;
const largestPlan = 512 * 1024 * 1024;

export interface PlanInputs {
  readonly module: ModuleLayout;
  readonly env: Env;
  readonly inputsDigest: string;
  readonly revision: string | undefined;
}

export interface Planned {
  readonly report: PlanReport;
  /** What `show` says of the plan, all of it. */
  readonly document: unknown;
  readonly lockFile: string | undefined;
}

/** Throws Ended with the engine's own complaint where one of the commands fails. */
export async function makePlan(bench: Bench, engine: EngineSession, inputs: PlanInputs): Promise<Planned> {
  const { order, layout, progress } = bench;
  const deadline = performance.now() + order.timeouts.planMs;
  const left = () => Math.max(1_000, Math.round(deadline - performance.now()));
  await initialise(bench, engine, inputs.module.cwd, inputs.env, initArguments());
  progress.step("plan");
  const out = join(layout.out, FILES.plan);
  const mode = order.operation === "Destroy" ? "Destroy" : "Normal";
  // A Check writes nothing, so it may read while somebody else holds the lock, and nobody has to wait for it.
  const lock = order.operation !== "Check";
  const args = planArguments({ mode, out, variableFile: inputs.module.variableFile, lock });
  await mustSucceed(bench, engine, "plan", args, inputs.env, left());
  const digest = await planDigest(bench, out);
  await mustSucceed(bench, engine, "show", showPlanArguments(out), inputs.env, showTimeoutMs, FILES.planDocument);
  const found = await readOwn(layout.out, join(inputs.module.cwd, lockFile), 4 * 1024 * 1024);
  const document = await readDocument(bench);
  const { inputsDigest, revision } = inputs;
  const report = planReportOf(document, bench.scrubber, { digest, inputsDigest, revision });
  return { report, document, lockFile: found?.toString("utf8") };
}

/** `sha256:<hex>` of the plan file as it is now. */
export async function planDigest({ layout }: Bench, path: string): Promise<string> {
  const root = path.startsWith(layout.out) ? layout.out : layout.in;
  const plan = await readOwn(root, path, largestPlan);
  if (plan === undefined) throw failed("PlanFailed", "the engine reported success and left no plan");
  return `sha256:${createHash("sha256").update(plan).digest("hex")}`;
}

/** `init` for a plan that was made elsewhere: with the providers that its lock file names, and the modules that came with it. */
export async function initialiseAsPlanned(bench: Bench, engine: EngineSession, cwd: string, env: Env): Promise<void> {
  await initialise(bench, engine, cwd, env, initArguments({ keepModules: true }));
}

async function initialise(
  bench: Bench,
  engine: EngineSession,
  cwd: string,
  env: Env,
  args: readonly string[],
): Promise<void> {
  bench.progress.step("init");
  await mustSucceed(bench, engine, "init", args, env, bench.order.timeouts.planMs);
  await mustUseOurBackend(bench, cwd);
}

type Env = Readonly<Record<string, string>>;

async function mustSucceed(
  bench: Bench,
  engine: EngineSession,
  id: "init" | "plan" | "show",
  args: readonly string[],
  env: Env,
  timeoutMs: number,
  stdoutFile?: string,
): Promise<void> {
  const output = stdoutFile === undefined ? {} : { stdoutFile };
  const end = await engine.run({ id, args, env, timeoutMs, graceMs: planGraceMs, ...output });
  if (!hasFailed(end)) return;
  const phase = { init: "Init", plan: "Plan", show: "Show" } as const;
  const { operation } = bench.order;
  const failure = engineFailure(phase[id], end, { operation, terminating: engine.terminating });
  throw new Ended(await withFullDisk(failure, bench.layout.out));
}

/** A plan against the empty state of another backend would create everything a second time. */
async function mustUseOurBackend({ layout }: Bench, cwd: string): Promise<void> {
  const text = await readOwn(layout.out, join(cwd, ".terraform", "terraform.tfstate"), 4 * 1024 * 1024);
  const backend = text === undefined ? undefined : initialisedBackend(text.toString("utf8"));
  if (backend === "http") return;
  throw failed(
    "BackendChoiceNeeded",
    `init chose the backend ${JSON.stringify(backend ?? "local")} and not the one that Terrarium keeps the state with: remove the module's own backend`,
    { retry: "Never" },
  );
}

async function readDocument({ layout }: Bench): Promise<unknown> {
  const text = await readOwn(layout.out, join(layout.out, FILES.planDocument), largestPlan);
  try {
    return parsePlanText(text?.toString("utf8") ?? "null");
  } catch {
    // An engine that cannot write what it prints does not say so.
    const { outcome } = failed("PlanFailed", "the engine has not told the whole plan, and reported success");
    throw new Ended(await withFullDisk(outcome, layout.out));
  }
}
