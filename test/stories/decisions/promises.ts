import type { Run } from "../../../operator/api/run.ts";
import type { Decision } from "../../../operator/environment/decide.ts";
import type { Verdict } from "../../../operator/environment/verdict.ts";
import { Violation } from "../../fakes/world.ts";
import {
  allNeededBy,
  declared,
  nameOf,
  neededBy,
  openChanges,
  usersOf,
  whyNotDeclared,
  whyUnsettled,
} from "./facts.ts";
import type { Scene } from "./scene.ts";

export const PROMISES = {
  order: "no Run is made before all that it needs, also indirectly, is applied as declared",
  approved: "an approved plan is applied only while it is what is declared, and nothing that it needs is being changed",
  newest: "a correction never undoes what was declared since",
  used: "nothing is destroyed that is declared, or used",
  ready: "what is Ready is applied as declared, and its record is there",
  word: "nobody waits without a word of what is to come, or of whose turn it is",
  quiet: "decisions come to an end",
  rest: "when everything goes well, all comes to rest",
} as const;

const MOST_LINES = Number(process.env.TERRARIUM_LINES ?? 40);

/** Ends the story, and says after which events. */
export function broken({ seed, lines }: Scene, promise: keyof typeof PROMISES, what: string): never {
  const told = lines.slice(-MOST_LINES).map((line) => `  ${line}`);
  throw new Violation([`seed ${seed}: ${promise}: ${what}`, `but ${PROMISES[promise]}`, "", ...told].join("\n"));
}

/** As it is made. */
export function mayBeMade(scene: Scene, run: Run): void {
  const { operation, component } = run.spec;
  if (operation === "Destroy") mayDestroy(scene, run);
  if (operation !== "Apply") return;
  for (const needed of allNeededBy(scene, component)) {
    const why = whyUnsettled(scene, needed);
    if (why !== undefined) broken(scene, "order", `${nameOf(run)} is made, and ${why}`);
  }
}

/** As its plan is carried out. What nobody had to approve goes on as it was made. */
export function mayBeginWork(scene: Scene, run: Run): void {
  const { operation, component, cause, inputs } = run.spec;
  const isApproved = run.status?.heldAt !== undefined;
  if (operation === "Destroy" && isApproved) mayDestroy(scene, run);
  if (operation !== "Apply") return;
  const other = whyNotDeclared(scene, component, inputs);
  if (other !== undefined && isApproved) broken(scene, "approved", `${nameOf(run)} has ${other}`);
  if (other !== undefined && cause.type === "DriftFound") broken(scene, "newest", `${nameOf(run)} has ${other}`);
  if (isApproved) needsAreSettled(scene, run);
}

function needsAreSettled(scene: Scene, run: Run): void {
  for (const needed of neededBy(scene, run.spec.component)) {
    const why = whyUnsettled(scene, needed);
    if (why !== undefined) broken(scene, "approved", `${nameOf(run)} begins, and ${why}`);
  }
}

function mayDestroy(scene: Scene, run: Run): void {
  const { component } = run.spec;
  if (declared(scene, component) !== undefined) broken(scene, "used", `${nameOf(run)} goes on, and that is declared`);
  const [user] = usersOf(scene, component);
  if (user !== undefined) broken(scene, "used", `${nameOf(run)} goes on, and ${user} uses that`);
}

/** Of the status as it was written last. */
export function saysReadyTruly(scene: Scene): void {
  if (!isTrue(scene, "Ready")) return;
  for (const { name } of scene.story.environment().spec.components) {
    const why = whyUnsettled(scene, name);
    if (why !== undefined) broken(scene, "ready", `it says Ready, and ${why}`);
  }
}

/** The reasons that say so by themselves: it is a person's turn, or a time's that somebody has declared. */
const TURNS = ["AwaitingApproval", "Suspended", "WindowClosed"];

/** Once nothing more is decided. */
export function saysWhatIsToCome(scene: Scene): void {
  const verdicts = verdictsIn(scene.story.decision());
  const [ready, reconciling] = [conditionOf(scene, "Ready"), conditionOf(scene, "Reconciling")];
  const isToCome = scene.story.openRuns().length > 0 || verdicts.some(({ wakeAtMs }) => wakeAtMs !== undefined);
  const isReconciling = reconciling?.status === "True";
  if (isReconciling && !isToCome) broken(scene, "word", `nothing is to come, and it says: ${reconciling.message}`);
  const isTold = isReconciling || ready?.status === "True" || isTrue(scene, "Stalled");
  if (!isTold && !TURNS.includes(ready?.reason ?? "")) broken(scene, "word", `it says ${ready?.reason}, and no more`);
  for (const verdict of verdicts) waitsForSomething(scene, verdict, verdicts);
}

function waitsForSomething(scene: Scene, { name, state, message }: Verdict, verdicts: readonly Verdict[]): void {
  if (state !== "Blocked" || declared(scene, name) === undefined) return;
  const unmet = verdicts.filter((other) => !other.satisfied && neededBy(scene, name).includes(other.name));
  if (unmet.length === 0) broken(scene, "word", `${name} ${message}, and all that it needs is there`);
}

/** What nobody but a person can end. */
const LEFT_TO_PEOPLE = ["StateLost", "ArchiveMissing", "RemovalNeedsConfirmation", "LeftBehind", "NameTaken"];

/** After all that went well. */
export function isAtRest(scene: Scene): void {
  const verdicts = verdictsIn(scene.story.decision());
  const isStuck = verdicts.some(({ reason }) => LEFT_TO_PEOPLE.includes(reason));
  for (const { name, state, reason, message } of verdicts) {
    const isWell = state === "Ready" || state === "Destroyed" || LEFT_TO_PEOPLE.includes(reason);
    const isBehind = state === "Blocked" && isStuck;
    if (!isWell && !isBehind) broken(scene, "rest", `${name} is ${state} (${reason}): ${message}`);
  }
  if (isStuck) return;
  if (!isTrue(scene, "Ready")) broken(scene, "rest", `it says ${conditionOf(scene, "Ready")?.reason}`);
  const [open] = openChanges(scene);
  if (open !== undefined) broken(scene, "rest", `${nameOf(open)} has not ended`);
}

const conditionOf = ({ story }: Scene, wanted: string) =>
  story.environment().status?.conditions?.find(({ type }) => type === wanted);

const isTrue = (scene: Scene, wanted: string): boolean => conditionOf(scene, wanted)?.status === "True";

const verdictsIn = (decision: Decision): readonly Verdict[] => ("verdicts" in decision ? decision.verdicts : []);
