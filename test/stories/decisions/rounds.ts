import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { endOvertakenChecks } from "./checks.ts";
import { nameOf } from "./facts.ts";
import { broken, mayBeMade, saysReadyTruly, saysWhatIsToCome } from "./promises.ts";
import type { Scene } from "./scene.ts";

/** Four components have no more to tell one another. */
const MOST_ROUNDS = 25;

/** Decides until nothing more comes of it, as the controller does after each event. */
export function rounds(scene: Scene): void {
  for (let count = 1, before = ""; before !== traceOf(scene); count += 1) {
    if (count > MOST_ROUNDS) broken(scene, "quiet", `after ${MOST_ROUNDS} rounds there is still something to do`);
    before = traceOf(scene);
    round(scene);
  }
  saysWhatIsToCome(scene);
}

/** Holds each decision, and the status that it amounts to, against the promises. */
function round(scene: Scene): void {
  const { story, tell } = scene;
  const known = new Set(story.runs().map(({ metadata }) => metadata.name));
  const voided = story.superseded.length;
  const decision = story.round();
  if ("overrideSpent" in decision && decision.overrideSpent === true) story.unannotate(ANNOTATIONS.windowOverride);
  for (const why of story.superseded.slice(voided)) tell(`  a plan is void: ${why}`);
  for (const run of story.runs().filter(({ metadata }) => !known.has(metadata.name))) {
    tell(`  made: ${nameOf(run)}`);
    mayBeMade(scene, run);
  }
  endOvertakenChecks(scene);
  story.report();
  saysReadyTruly(scene);
}

/** All that a round can change apart from the status. */
const traceOf = ({ story: { started, superseded, records } }: Scene): string =>
  [started.length, superseded.length, ...records.keys()].join();
