import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { endCheck } from "./checks.ts";
import { declared, openChanges } from "./facts.ts";
import { DEEDS, editSpec } from "./people.ts";
import { isAtRest } from "./promises.ts";
import { rounds } from "./rounds.ts";
import { advance } from "./runs.ts";
import { aScene, type Scene } from "./scene.ts";

const MINUTE_MS = 60_000;
const EVENTS = 60;
/** More than all that may be left at the end needs. */
const LAST_STEPS = 120;

/** Plays the story of a seed, in which everything exists at first, and all goes well at last. Throws where a promise is broken. */
export function play(seed: number): Scene {
  const scene = whereAllIsThere(seed);
  scene.tell("--- from here on anything may happen");
  const happenings = someHappenings(scene);
  for (let count = 0; count < EVENTS; count += 1) {
    scene.dice.weighted(happenings)?.(scene);
    rounds(scene);
  }
  scene.tell("--- from here on all goes well");
  nothingIsInTheWay(scene);
  allGoesWell(scene);
  isAtRest(scene);
  return scene;
}

export function whereAllIsThere(seed: number): Scene {
  const scene = aScene(seed);
  allGoesWell(scene);
  return scene;
}

/** Each story has some of the things that people do, and more that happens by itself. */
function someHappenings({ dice }: Scene) {
  const deeds = DEEDS.filter(() => dice.chance(0.4)).map((value) => ({ weight: 1, value }));
  const byItself = [timePasses, checkEnds, runGoesOn].map((value) => ({ weight: 2 + dice.below(6), value }));
  return [...byItself, ...deeds];
}

function timePasses({ dice, story, tell }: Scene): void {
  const minutes = dice.pick([1, 10, 70, 70, 26 * 60]) ?? 1;
  tell(`${minutes} min`);
  story.pass(minutes * MINUTE_MS);
}

const checkEnds = (scene: Scene): void => endCheck(scene, { mayFail: true });

function runGoesOn(scene: Scene): void {
  const run = scene.dice.pick(openChanges(scene));
  if (run !== undefined) advance(scene, run, { mayFail: true });
}

/** People take away what stops anything, and ask once more for what was not done. */
function nothingIsInTheWay(scene: Scene): void {
  const { story, removed } = scene;
  story.unannotate(ANNOTATIONS.windowOverride);
  editSpec(scene, { suspend: false, windows: [], drift: { interval: "1h" } });
  const gone = removed.map(({ name }) => name).filter((name) => declared(scene, name) === undefined);
  story.annotate({ [ANNOTATIONS.requestedAt]: "the end", [ANNOTATIONS.confirmDestroy]: gone.join() });
}

function allGoesWell(scene: Scene): void {
  const { dice, story } = scene;
  for (let steps = 0; steps < LAST_STEPS; steps += 1) {
    rounds(scene);
    const run = dice.pick(openChanges(scene));
    if (run !== undefined) advance(scene, run, { mayFail: false });
    else if (story.openChecks().length > 0) endCheck(scene, { mayFail: false });
    else if (!isToComeSoon(scene)) return;
  }
}

/** A failed try is tried again; the next look for drift is none of it. */
function isToComeSoon({ story }: Scene): boolean {
  const decision = story.decision();
  const retries = ("verdicts" in decision ? decision.verdicts : []).flatMap(({ retries = [] }) => retries);
  if (retries.length === 0) return false;
  story.pass(11 * MINUTE_MS);
  return true;
}
