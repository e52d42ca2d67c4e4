import type { Reason } from "../../operator/api/conditions.ts";
import { adviceFor, ended, explained } from "./advice.ts";
import type { ComponentPicture, Picture, Said } from "./picture.ts";
import { logsOf, ours } from "./remedies.ts";

/** What is wrong, or not known, and no component waits for anybody because of it: it is tried again, or hinders nothing. */
export interface Notice {
  /** Absent: the environment as a whole. */
  readonly component?: string;
  /** Nothing goes on, or what fails will hardly pass by itself. */
  readonly grave: boolean;
  readonly says: string;
  readonly commands: readonly string[];
}

export function noticesFor(picture: Picture): readonly Notice[] {
  return [
    ...picture.components.flatMap((component) => [...failing(picture, component), ...outOfSight(component)]),
    ...stalled(picture),
    ...unwritten(picture),
    ...drifted(picture),
    ...expiring(picture),
  ];
}

/** These pass as often as not: a server that is away, another Run, a node that was lost. */
const PASSING: ReadonlySet<string> = new Set<Reason>([
  "GitHostUnknown",
  "RegistryUnreachable",
  "RunnerLost",
  "StateLocked",
  "StepRefused",
]);

/** What is tried again for ever, or a few times more, and will not end well before somebody has mended its cause. */
function failing(picture: Picture, component: ComponentPicture): readonly Notice[] {
  const { name, state, reason = "", message = "", waiting, retries } = component;
  if (state !== "Failed" || waiting?.for !== "time") return [];
  const why = ended(explained(message, reason));
  const says = /\bagain\b/.test(why) ? why : `${why} It is tried again by itself.`;
  // Where no tries are counted no Run could be made: there is no log of it.
  const commands = retries === undefined ? [] : logsOf(picture, component);
  return [{ component: name, grave: !PASSING.has(reason), says, commands }];
}

function outOfSight(component: ComponentPicture): readonly Notice[] {
  const says = whyOutOfSight(component);
  return says === undefined ? [] : [{ component: component.name, grave: false, says, commands: [] }];
}

/** What is applied stays Ready, also where nobody knows any more whether its source has something newer. */
export function whyOutOfSight({ state, reason = "", message = "" }: ComponentPicture): string | undefined {
  const isSo = (state === "Ready" || state === "Drifted") && reason.startsWith("Git");
  return isSo ? explained(message, reason) : undefined;
}

/** Of the whole, or of something that is no component here. */
function stalled(picture: Picture): readonly Notice[] {
  const { trouble, components } = picture;
  const isAsked = adviceFor(picture).some(
    ({ component }) => components.find(({ name }) => name === component)?.reason === trouble?.reason,
  );
  return trouble === undefined || isAsked ? [] : [ofAll(trouble, { grave: true })];
}

function unwritten({ ready, reason, message }: Picture): readonly Notice[] {
  return !ready && reason === "OutputsNotWritten" ? [ofAll({ reason, message }, { grave: true })] : [];
}

/** Where only destroying goes on, nothing is told: a Run that is asked for then would void the plan that waits. */
function drifted(picture: Picture): readonly Notice[] {
  const { drifted: said, deleting, reason } = picture;
  if (said === undefined || deleting || reason === "Expired" || said.reason === "NotChecked") return [];
  const isOfAll = said.reason === "CheckFailed" || said.reason === "EverythingIgnored";
  const each = picture.components.flatMap((component) => driftOf(picture, component));
  return isOfAll ? [ofAll(said, { grave: false }), ...each] : each;
}

/** A correction that waits, or was given up, is told as that, and one that is under way brings it back. */
function driftOf(picture: Picture, component: ComponentPicture): readonly Notice[] {
  const { name, reason, message = "", drift, waiting } = component;
  if (drift === undefined || waiting !== undefined || IS_CORRECTED.test(message)) return [];
  if (reason === "CorrectionFailed")
    return [{ component: name, grave: false, says: explained(message, reason), commands: logsOf(picture, component) }];
  const what = drift.addresses.length === 0 ? "something" : drift.addresses.join(", ");
  const says = `${what} was changed outside since it was applied. Nothing waits for it, and a Run brings it back.`;
  return [{ component: name, grave: false, says, commands: [ours(picture, `run ${picture.name}`)] }];
}

/** In the operator's words. */
const IS_CORRECTED = /(?:^|[:;] )Run \d+ brings it back: /;

function expiring(picture: Picture): readonly Notice[] {
  const { expiring: says, name } = picture;
  return says === undefined ? [] : [{ grave: false, says, commands: [ours(picture, `extend ${name} --for 24h`)] }];
}

const ofAll = ({ reason, message }: Said, { grave }: Pick<Notice, "grave">): Notice => ({
  grave,
  says: explained(message, reason),
  commands: [],
});
