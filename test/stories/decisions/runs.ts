import { requiredFor } from "../../../operator/api/rules-for-plan.ts";
import type { Run } from "../../../operator/api/run.ts";
import type { RunOutcome, RunStatus } from "../../../operator/api/run-status.ts";
import { whyNotAsDeclaredSince } from "../../../operator/environment/declared-since.ts";
import { planStanding } from "../../../operator/environment/plan-standing.ts";
import { whyNotNow } from "../../../operator/run/not-now.ts";
import { isWaitingForPeople } from "../../../operator/run/phase.ts";
import { podName } from "../../../operator/run/pod.ts";
import { whyPointless } from "../../../operator/run/pointless.ts";
import { anOutput, appliedBy } from "../../fakes/objects.ts";
import { isAtWork, nameOf } from "./facts.ts";
import { mayBeginWork } from "./promises.ts";
import type { Scene } from "./scene.ts";

/** How Runs go on: what is done about one by its controller, the gateway and the people who are asked, as the product judges it. */

export interface Luck {
  /** Dice may decide so. */
  readonly mayFail: boolean;
}

/** How a Run ends. */
type End = Partial<RunOutcome> & Pick<RunOutcome, "result">;

/** One step of one Run. */
export function advance(scene: Scene, run: Run, luck: Luck): void {
  const ending = goOn(scene, run, luck);
  if (ending !== undefined) end(scene, run, ending);
}

function goOn(scene: Scene, run: Run, luck: Luck): End | undefined {
  if (isAtWork(run)) return endOfWork(scene, run, luck);
  if (isWaitingForPeople(run)) return answerOfPeople(scene, run, luck);
  return run.status?.heldAt === undefined ? judgement(scene, run, luck) : answerOfGateway(scene, run);
}

/** Its plan is there: it is refused, waits, or is carried out at once. */
function judgement(scene: Scene, run: Run, { mayFail }: Luck): End | undefined {
  const { story, tell } = scene;
  const { component, rules } = run.spec;
  const [environment, record, nowMs] = [story.environment(), story.records.get(component), story.now()];
  const other = whyPointless(run, environment, nowMs)?.message ?? whyNotAsDeclaredSince(run, environment, record);
  if (other !== undefined) return superseded(other);
  const without = mayFail ? endWithoutChange(scene, run) : undefined;
  if (without !== undefined) return without;
  const isAsked = requiredFor(rules, { create: 1, update: 0, replace: 0, delete: 2 }) > 0;
  if (!isAsked && whyNotNow(run, environment, nowMs) === undefined) return begin(scene, run);
  tell(`  its plan waits: ${nameOf(run)}`);
  story.hold(component);
  return undefined;
}

/** There is no plan, or nothing in it. */
function endWithoutChange({ dice, story }: Scene, { spec }: Run): End | undefined {
  if (dice.chance(0.1)) return failed("PlanFailed");
  const isThere = spec.operation === "Apply" && story.records.get(spec.component)?.applied !== undefined;
  return isThere && dice.chance(0.15) ? { result: "Unchanged" } : undefined;
}

/** People say yes or no to a plan that waits, or let it expire. */
function answerOfPeople(scene: Scene, run: Run, { mayFail }: Luck): End | undefined {
  const { dice, story, tell } = scene;
  const reason = dice.pick(["Rejected", "PlanExpired", "Cancelled"] as const) ?? "Rejected";
  if (mayFail && dice.chance(0.4)) return { result: "Cancelled", reason };
  if (whyNotNow(run, story.environment(), story.now()) !== undefined) return undefined;
  const standing = standingOf(scene, run);
  if (standing === "waits") return undefined;
  if (standing !== "stands") return standing;
  tell(`  approved: ${nameOf(run)}`);
  story.tell(run, { phase: "Starting", pods: podsOf(run) });
  return undefined;
}

/** The pod that is to apply an approved plan asks whether it may. */
function answerOfGateway(scene: Scene, run: Run): End | undefined {
  const { story } = scene;
  const notNow = whyNotNow(run, story.environment(), story.now());
  if (notNow !== undefined) return { result: "Cancelled", ...notNow };
  const standing = standingOf(scene, run);
  if (standing === "waits") return undefined;
  return standing === "stands" ? begin(scene, run) : standing;
}

/** What has become of a plan that waited; where something holds it back, it goes on waiting. */
function standingOf({ story, tell }: Scene, run: Run): "stands" | "waits" | End {
  const pointless = whyPointless(run, story.environment(), story.now())?.message;
  if (pointless !== undefined) return superseded(pointless);
  const standing = planStanding(story.observation(), run);
  if (standing.type === "void") return superseded(standing.why);
  if (standing.type === "stands") return "stands";
  tell(`  held back: ${nameOf(run)}, ${standing.why}`);
  return "waits";
}

/** From here on the engine works, and the record says so. */
function begin(scene: Scene, run: Run): undefined {
  const { story, tell } = scene;
  const { operation, component, cause } = run.spec;
  tell(`  begins: ${nameOf(run)}`);
  mayBeginWork(scene, run);
  const applyStartedAt = new Date(story.now()).toISOString();
  story.tell(run, { phase: "Applying", applyStartedAt, pods: podsOf(run) });
  const record = story.records.get(component);
  if (record === undefined || operation !== "Apply") return;
  const { outputs: _unknownYet, ...attempted } = appliedBy(run);
  const corrects = cause.type === "DriftFound" || record.attempted?.correction === true;
  const correction = corrects ? { correction: true as const } : {};
  story.records.set(component, { ...record, mayHoldObjects: true, attempted: { ...attempted, ...correction } });
}

function endOfWork({ dice }: Scene, { spec }: Run, { mayFail }: Luck): End {
  const destroys = spec.operation === "Destroy";
  const isWell = !mayFail || dice.chance(0.7);
  if (isWell) return destroys ? { result: "Destroyed", reason: "Destroyed" } : { result: "Applied" };
  const isCutOff = !destroys && dice.chance(0.3);
  if (isCutOff) return { result: "Interrupted", reason: "Interrupted" };
  return failed(destroys ? "DestroyFailed" : "ApplyFailed");
}

const superseded = (message: string): End => ({ result: "Cancelled", reason: "Superseded", message });

const failed = (reason: "PlanFailed" | "ApplyFailed" | "DestroyFailed"): End => ({
  result: "Failed",
  reason,
  retry: "Backoff",
});

/** What such an end leaves: outputs, one of which may be new, and a newer state, or none. */
function end(scene: Scene, run: Run, { result, ...more }: End): void {
  const { dice, story, tell } = scene;
  const { component } = run.spec;
  tell(`  ends: ${nameOf(run)} ${[result, more.reason, more.message].filter(Boolean).join(", ")}`);
  const { applied, state: former } = story.records.get(component) ?? {};
  const isNew = applied === undefined || (result === "Applied" && dice.chance(0.3));
  const outputs = isNew ? [anOutput("id", `id-${run.metadata.name}`)] : applied.outputs;
  const stateSerial = (former?.serial ?? 0) + 1;
  story.end(component, result, { ...more, outputs, ...(result === "Applied" ? { stateSerial } : {}) });
  if (result === "Applied") story.handOver(component, stateSerial);
  const { state: _destroyed, ...rest } = story.records.get(component) ?? {};
  if (result === "Destroyed" && "key" in rest) story.records.set(component, rest);
}

/** Those of a Run whose plan is being applied. */
const podsOf = (run: Run): NonNullable<RunStatus["pods"]> =>
  (["Plan", "Apply"] as const).map((phase) => ({ name: podName(run, phase), uid: podName(run, phase), createdAt: "" }));
