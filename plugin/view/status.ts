import { type Advice, adviceFor } from "../reading/advice.ts";
import { whyOutOfSight } from "../reading/notices.ts";
import type { ComponentPicture, Picture } from "../reading/picture.ts";
import { countsShort } from "./counts.ts";
import { age, type Cell, cut, listed, type Paint, type Style, span, table } from "./text.ts";
import { treeOf } from "./tree.ts";

const STYLES: Readonly<Record<string, Style>> = {
  Ready: "good",
  Drifted: "warn",
  AwaitingApproval: "warn",
  Suspended: "warn",
  Failed: "bad",
  Stalled: "bad",
  Interrupted: "bad",
  Blocked: "quiet",
  Destroyed: "quiet",
};

const LONGEST_WAIT = 90;
const LONGEST_DRIFT = 50;

/** The whole Environment on one screen: what is, what waits for whom, and what to do. */
export function statusView(picture: Picture, now: Date, paint: Paint): readonly string[] {
  const advice = adviceFor(picture);
  return [
    ...headOf(picture, now, paint),
    "",
    ...treeTable(picture, now, paint),
    ...(advice.length === 0 ? [] : ["", ...advice.flatMap((one) => adviceLines(picture, one, now, paint))]),
  ];
}

function headOf(picture: Picture, now: Date, paint: Paint): readonly string[] {
  const { name, namespace, ready, reason, message } = picture;
  const title = `${paint("strong", name)} in ${namespace}: `;
  const state = ready ? paint("good", "Ready") : paint("warn", `not Ready, ${reason}`);
  const facts = [picture.summary, `${age(picture.createdAt, now)} old`];
  if (picture.deleting) facts.push("being deleted");
  if (picture.suspended) facts.push("suspended");
  if (!picture.seen) facts.push("the operator has not looked at the newest spec yet");
  const told = ready ? [] : [message];
  const { drifted } = picture;
  // What was found is in the tree; that nobody could look, or bring it back, is not.
  if (drifted !== undefined && drifted.reason !== "DriftFound" && drifted.reason !== "NotChecked")
    told.push(paint("warn", `${drifted.reason}: ${drifted.message}`));
  if (picture.expiring !== undefined) told.push(paint("warn", picture.expiring));
  return [`${title}${state}`, facts.filter((fact) => fact !== "").join(", "), ...told];
}

function treeTable(picture: Picture, now: Date, paint: Paint): readonly string[] {
  const byName = new Map(picture.components.map((component) => [component.name, component]));
  const rows = treeOf(picture.components).flatMap(({ name, lead, also }) => {
    const component = byName.get(name);
    return component === undefined ? [] : [rowOf(component, lead, also, now)];
  });
  return table(["COMPONENT", "STATE", "PLAN", "DRIFT", "APPLIED", "SINCE", "WAITS FOR"], rows, paint);
}

function rowOf(component: ComponentPicture, lead: string, also: readonly string[], now: Date): readonly Cell[] {
  const { name, state, waiting, plan, appliedAt } = component;
  const applied = age(appliedAt, now);
  const wait = waiting?.since === undefined || waiting.for === "time" ? "" : age(waiting.since, now);
  return [
    `${lead}${name}${component.declared ? "" : " (removed)"}`,
    { style: STYLES[state] ?? "strong", text: state },
    plan === undefined ? "" : countsShort(plan),
    driftCell(component, now),
    { style: "quiet", text: applied === "" ? "" : `${applied} ago` },
    wait,
    waitText(component, also, now),
  ];
}

function driftCell({ drift }: ComponentPicture, now: Date): Cell {
  if (drift === undefined) return "";
  const more = drift.addresses.length === 3 ? ", …" : "";
  const what = drift.addresses.length === 0 ? "" : ` (${cut(drift.addresses.join(", "), LONGEST_DRIFT)}${more})`;
  return { style: "warn", text: `${countsShort(drift.counts)} for ${age(drift.since, now)}${what}` };
}

function waitText(component: ComponentPicture, also: readonly string[], now: Date): Cell {
  const { waiting } = component;
  const outOfSight = whyOutOfSight(component);
  if (outOfSight !== undefined) return { style: "warn", text: cut(outOfSight, LONGEST_WAIT) };
  if (waiting === undefined) return { style: "quiet", text: also.length === 0 ? "" : `(needs ${listed(also)}, too)` };
  switch (waiting.for) {
    case "approval":
      return { style: "warn", text: waiting.what };
    case "time":
      return cut(waiting.since === undefined ? waiting.what : timed(waiting.what, waiting.since, now), LONGEST_WAIT);
    case "component":
      return { style: "quiet", text: waiting.what };
    default:
      return cut(waiting.what, LONGEST_WAIT);
  }
}

function timed(what: string, at: string, now: Date): string {
  const left = Date.parse(at) - now.getTime();
  return left > 0 ? `the next try in ${span(left)}: ${what}` : what;
}

function adviceLines(picture: Picture, { component, why, commands }: Advice, now: Date, paint: Paint) {
  const waiting = picture.components.find(({ name }) => name === component)?.waiting;
  const since = waiting?.since === undefined ? "" : ` for ${age(waiting.since, now)}`;
  const behind = waiting?.behind ?? [];
  const cost = behind.length === 0 ? "" : ` Behind it ${behind.length === 1 ? "waits" : "wait"} ${listed(behind)}.`;
  return [
    `${paint("strong", component)} has waited${since}: ${sentence(why)}${cost}`,
    ...commands.map((command) => `  ${paint("quiet", command)}`),
  ];
}

const sentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);

/** One line for each Environment of a namespace. */
export function statusesView(pictures: readonly Picture[], now: Date, paint: Paint): readonly string[] {
  const rows = pictures.map((picture): readonly Cell[] => {
    const waits = picture.components.filter(({ waiting }) => ["approval", "person"].includes(waiting?.for ?? ""));
    return [
      picture.name,
      picture.ready ? { style: "good", text: "Ready" } : { style: "warn", text: picture.reason },
      picture.summary,
      age(picture.createdAt, now),
      listed(waits.map(({ name, waiting }) => `${name} (${waiting?.for})`)),
    ];
  });
  return table(["NAME", "STATE", "SUMMARY", "AGE", "WAITS FOR A PERSON"], rows, paint);
}
