import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { Run } from "../../../operator/api/run.ts";
import { ended } from "../../fakes/objects.ts";
import { declared, nameOf } from "./facts.ts";
import type { Luck } from "./runs.ts";
import type { Scene } from "./scene.ts";

/** How looks for drift end: they change nothing, and make the decisions that follow from what they find. */

const FINDINGS = ["Drifted", "Drifted", "Drifted", "Unchanged", "Failed"] as const;

export function endCheck(scene: Scene, { mayFail }: Luck): void {
  const { dice, story, tell } = scene;
  const check = dice.pick(story.openChecks());
  if (check === undefined) return;
  const result = (mayFail ? dice.pick(FINDINGS) : undefined) ?? "Unchanged";
  tell(`  ends: ${nameOf(check)} ${result}`);
  story.endCheck(check.spec.component, result, result === "Failed" ? { reason: "PlanFailed" } : {});
}

/** Their controller ends those whose finding would be of no use. */
export function endOvertakenChecks(scene: Scene): void {
  const { story } = scene;
  for (const check of story.openChecks().filter((open) => isOvertaken(scene, open)))
    story.putRun(ended(check, { result: "Cancelled", reason: "Superseded" }, story.now()));
}

/** What it looks at is about to be another, or is not there any more. */
function isOvertaken(scene: Scene, { metadata, spec: { component, number } }: Run): boolean {
  const { story } = scene;
  const isNewer = ({ spec }: Run) => spec.operation !== "Check" && spec.component === component && spec.number > number;
  const isGone = declared(scene, component) === undefined || !story.records.has(component);
  return isGone || metadata.annotations?.[ANNOTATIONS.movedTo] !== undefined || story.runs().some(isNewer);
}
