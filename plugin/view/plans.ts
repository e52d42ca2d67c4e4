import { destroyedBy, type PlanChange, type PlanPicture } from "../reading/plans.ts";
import { countsLong, destroysSomething } from "./counts.ts";
import { age, listed, type Paint, type Style, span } from "./text.ts";

const SIGNS: Readonly<Record<string, readonly [sign: string, style: Style]>> = {
  create: ["+", "good"],
  update: ["~", "warn"],
  replace: ["±", "bad"],
  delete: ["-", "bad"],
};

/** One plan: what it is for, how long it waits, and its changes, in the readable form where there is one. */
export function planView(plan: PlanPicture, text: string | undefined, now: Date, paint: Paint): readonly string[] {
  return [
    `${paint("strong", plan.component)} #${plan.number}: ${operationText(plan, paint)}`,
    `  Run     ${plan.run}`,
    `  digest  ${plan.digest}`,
    ...commitLine(plan),
    `  cause   ${plan.cause}`,
    `  ${plan.waits ? "waits" : "state"}   ${plan.waits ? waitText(plan, now) : plan.state}`,
    "",
    ...(text === undefined
      ? changeLines(plan, paint)
      : text
          .trimEnd()
          .split("\n")
          .map((line) => `  ${line}`)),
  ];
}

/** What somebody signs: Run, digest and counts of each, and by name all that is destroyed. */
export function signView(plans: readonly PlanPicture[], now: Date, paint: Paint): readonly string[] {
  return plans.flatMap((plan) => {
    const { named, more } = destroyedBy(plan);
    return [
      `${paint("strong", plan.component)} #${plan.number}: ${operationText(plan, paint)}`,
      `  Run     ${plan.run}`,
      `  digest  ${plan.digest}`,
      ...commitLine(plan),
      `  waits   ${waitText(plan, now)}`,
      ...named.map(
        (change) => `  ${painted(change, paint)}${change.action === "replace" ? " (destroyed, and made anew)" : ""}`,
      ),
      ...(more === 0
        ? []
        : [
            `  ${paint("bad", `and ${more} more that ${more === 1 ? "is" : "are"} destroyed`)}: read the whole plan first`,
          ]),
      "",
    ];
  });
}

const commitLine = ({ revision }: PlanPicture): readonly string[] =>
  revision === undefined ? [] : [`  commit  ${revision}`];

function operationText({ operation, counts }: PlanPicture, paint: Paint): string {
  const text = operation === "Destroy" ? `DESTROYS THE COMPONENT: ${countsLong(counts)}` : countsLong(counts);
  return destroysSomething(counts) || operation === "Destroy" ? paint("bad", text) : text;
}

function waitText(plan: PlanPicture, now: Date): string {
  const { since, expiresAt, waitsFor } = plan;
  const waited = since === undefined ? "" : `for ${age(since, now)}, `;
  const left = expiresAt === undefined ? "" : `; void in ${span(Date.parse(expiresAt) - now.getTime())}`;
  return `${waited}${approvalText(plan)}${waitsFor === undefined ? "" : `; ${waitsFor}`}${left}`;
}

function approvalText({ required, approvedBy }: PlanPicture): string {
  if (required === 0) return "no approval is needed";
  const given = approvedBy.length === 0 ? "" : ` (${listed(approvedBy)})`;
  return `${approvedBy.length} of ${required} approvals${given}`;
}

function changeLines({ changes, counts }: PlanPicture, paint: Paint): readonly string[] {
  const all = counts.create + counts.update + counts.replace + counts.delete;
  const more = all - changes.length;
  return [
    ...changes.map((change) => `  ${painted(change, paint)}`),
    ...(more > 0 ? [`  … and ${more} more`] : []),
    ...(all === 0 ? ["  nothing to change"] : []),
  ];
}

function painted({ address, action }: PlanChange, paint: Paint): string {
  const [sign, style] = SIGNS[action] ?? ["?", "strong"];
  return paint(style, `${sign} ${address}`);
}
