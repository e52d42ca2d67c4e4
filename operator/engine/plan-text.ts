/** A plan as people read it, from its JSON: what `show` prints, with everything sensitive left out, and never too long. */
import { gravityOf } from "./plan-changes.ts";
import {
  actionOf,
  isDrift,
  isImported,
  isMoved,
  isTouched,
  type PlanDocument,
  planDocumentOf,
  type ResourceChange,
} from "./plan-document.ts";
import { topLevel } from "./plan-level.ts";
import { attributeLines, valueLines } from "./plan-lines.ts";
import { type Mask, maskFor } from "./plan-secrets.ts";

export const PLAN_TEXT_BYTES = 256 * 1024;
/** For what says how much is missing. */
const RESERVE = 256;
/** With less room than this no further part is tried. */
const TOO_LITTLE = 1024;
const NO_NAMES: ReadonlySet<string> = new Set();

/** A part that is shown as a whole, by its heading alone, or not at all. */
interface Block {
  readonly heading: string;
  readonly lines: () => readonly string[];
}

interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** Throws NotAPlan where the document is none. */
export function renderPlan(document: unknown, limit = PLAN_TEXT_BYTES): string {
  const plan = planDocumentOf(document);
  const mask = maskFor(plan);
  const touched = (plan.resource_changes ?? []).filter(isTouched).sort(byGravity);
  const sections = [
    { title: "Changes:", blocks: touched.map((resource) => changeBlock(resource, mask)) },
    { title: "Changes to outputs:", blocks: outputBlocks(plan, mask) },
    {
      title: "Changed in the world since the last apply:",
      blocks: (plan.resource_drift ?? []).filter(isDrift).map((resource) => driftBlock(resource, mask)),
    },
  ].filter(({ blocks }) => blocks.length > 0);
  return fitted([summary(touched), ...(sections.length === 0 ? ["", "Nothing changes."] : [])], sections, limit);
}

/** Whole parts as long as there is room for them, then headings, then a count of what is missing. */
function fitted(start: readonly string[], sections: readonly Section[], limit: number): string {
  const page = [...start];
  let left = limit - RESERVE - Buffer.byteLength(page.join("\n"));
  const take = (lines: readonly string[]): boolean => {
    const bytes = Buffer.byteLength(lines.join("\n")) + 1;
    if (bytes > left) return false;
    left -= bytes;
    page.push(...lines);
    return true;
  };
  let short = 0;
  let missing = 0;
  for (const { title, blocks } of sections) {
    take(["", title]);
    for (const { heading, lines } of blocks) {
      if (left > TOO_LITTLE && take(["", heading, ...lines()])) continue;
      if (take([`${heading} (not shown in full)`])) short += 1;
      else missing += 1;
    }
  }
  if (short + missing > 0) {
    page.push("", `TRUNCATED: ${short} parts are shown by their heading only, and ${missing} are left out.`);
  }
  return `${page.join("\n")}\n`;
}

function byGravity(a: ResourceChange, b: ResourceChange): number {
  return gravityOf(a) - gravityOf(b) || (a.address < b.address ? -1 : 1);
}

function summary(touched: readonly ResourceChange[]): string {
  const count = (...actions: readonly string[]) =>
    touched.filter(({ change }) => actions.includes(actionOf(change.actions))).length;
  const [create, update, replace, destroy] = [count("Create"), count("Update"), count("Replace"), count("Delete")];
  return `Plan: ${create} to create, ${update} to update, ${replace} to replace, ${destroy} to destroy.`;
}

function changeBlock(resource: ResourceChange, mask: Mask): Block {
  const { change } = resource;
  const { sign, what } = wordsFor(resource);
  const forces = new Set((change.replace_paths ?? []).map(([first]) => String(first)));
  return {
    heading: `  # ${nameOf(resource, mask)} ${what}`,
    lines: () => [...notes(resource, mask), ...body(resource, sign, mask, forces)],
  };
}

/** Nothing, where a resource changes in no attribute. */
function body(
  { address, type, change }: ResourceChange,
  sign: string,
  mask: Mask,
  forces = NO_NAMES,
): readonly string[] {
  if (sign === "") return [];
  const name = address.slice(address.lastIndexOf(`${type}.`) + type.length + 1).replace(/\[.*$/s, "");
  const kind = sign === "<=" ? "data" : "resource";
  const opening = `${sign.padStart(3)} ${kind} ${JSON.stringify(type)} ${JSON.stringify(mask(name))} {`;
  return [opening, ...attributeLines(topLevel(change), mask, "      ", forces), "    }"];
}

function nameOf({ address, deposed }: ResourceChange, mask: Mask): string {
  return deposed === undefined ? mask(address) : `${mask(address)} (deposed object ${deposed})`;
}

function wordsFor(resource: ResourceChange): { readonly sign: string; readonly what: string } {
  switch (actionOf(resource.change.actions)) {
    case "Create":
      return { sign: "+", what: "will be created" };
    case "Update":
      return { sign: "~", what: "will be updated in place" };
    case "Replace":
      return { sign: resource.change.actions[0] === "create" ? "+/-" : "-/+", what: "must be replaced" };
    case "Delete":
      return { sign: "-", what: "will be destroyed" };
    case "Forget":
      return { sign: "", what: "will no longer be managed, and will not be destroyed" };
    case "Read":
      return { sign: "<=", what: "will be read during the apply" };
    case "Unchanged":
      return { sign: "", what: isImported(resource) ? "will be imported" : "moves" };
  }
}

/** The engines' own reasons (JSON Output Format of Terraform) that help a reader; others are left out. */
const REASONS: Readonly<Record<string, string>> = {
  replace_because_tainted: "it is tainted",
  replace_because_cannot_update: "an attribute cannot be changed in place",
  replace_by_request: "somebody asked for it",
  replace_by_triggers: "of replace_triggered_by",
  delete_because_no_resource_config: "it is not in the configuration any more",
  delete_because_no_module: "its module is not in the configuration any more",
  delete_because_count_index: "its index is beyond count",
  delete_because_each_key: "its key is not in for_each any more",
  delete_because_wrong_repetition: "its instances are counted in another way",
  delete_because_no_move_target: "what it should move to is not in the configuration",
  read_because_config_unknown: "its configuration is not known yet",
  read_because_dependency_pending: "it depends on what changes",
};

function notes(resource: ResourceChange, mask: Mask): readonly string[] {
  const { previous_address = "", action_reason = "", change } = resource;
  const reason = REASONS[action_reason];
  return [
    ...(reason === undefined ? [] : [`  # (because ${reason})`]),
    ...(isMoved(resource) ? [`  # (moved from ${mask(previous_address)})`] : []),
    ...(isImported(resource) && actionOf(change.actions) !== "Unchanged" ? ["  # (imported first)"] : []),
  ];
}

function driftBlock(resource: ResourceChange, mask: Mask): Block {
  const gone = actionOf(resource.change.actions) === "Delete";
  return {
    heading: `  # ${nameOf(resource, mask)} ${gone ? "is gone" : "was changed"}`,
    lines: () => (gone ? [] : body(resource, "~", mask)),
  };
}

function outputBlocks({ output_changes }: PlanDocument, mask: Mask): readonly Block[] {
  return Object.entries(output_changes ?? {})
    .filter(([, change]) => actionOf(change.actions) !== "Unchanged")
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, change]) => ({
      heading: `  # ${mask(name)}`,
      lines: () => valueLines(name, topLevel(change), mask, "  "),
    }));
}
