/** What the gateway hears of a plan: enough to judge it, small enough to be sent, and without a value of any attribute. */

import { type PlanReport as EnginePlan, readPlan } from "../../operator/engine/plan.ts";
import { isCut, LONGEST_ADDRESS, type PlanChange } from "../../operator/engine/plan-changes.ts";
import type { PlannedChange, PlanReport } from "../../operator/gateway/protocol.ts";
import type { Scrubber } from "./scrub.ts";

/** Of the list of changes. The gateway takes 4 MiB in all. */
const CHANGES_BYTES = 3 * 1024 * 1024;
const LONGEST_ATTRIBUTE = 256;
/** Resources that the Run's status shows. */
const SHOWN = 50;

interface Circumstances {
  readonly digest: string;
  readonly inputsDigest: string;
  readonly revision: string | undefined;
}

/** Throws NotAPlan where the document is none. */
export function planReportOf(
  document: unknown,
  scrubber: Scrubber,
  { digest, inputsDigest, revision }: Circumstances,
): PlanReport {
  const plan = readPlan(document, SHOWN);
  const { create, update, replace, delete: removed } = plan.summary;
  return {
    digest,
    counts: { create, update, replace, delete: removed },
    empty: plan.isEmpty,
    resources: plan.resources.items.map(({ address, action }) => ({
      address: scrubber.text(address).slice(0, 256),
      action: action.toLowerCase(),
    })),
    truncated: plan.resources.truncated,
    drifted: plan.drift.total,
    ...changesOf(plan, scrubber),
    driftOnly: plan.driftOnly,
    ...(revision === undefined ? {} : { revision }),
    inputsDigest,
  };
}

function changesOf({ changes }: EnginePlan, scrubber: Scrubber, most = CHANGES_BYTES) {
  const scrub = remembering((text) => scrubber.text(text));
  const listed: PlannedChange[] = [];
  let bytes = 0;
  for (const change of changes.items) {
    const item = scrubbed(change, scrub);
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    if (bytes > most) return { changes: listed, changesTruncated: true };
    listed.push(item);
  }
  return { changes: listed, changesTruncated: changes.truncated || !listed.every(isWhole) };
}

/** Keys of `for_each` and of maps are data: they may be, or hold, a secret. */
function scrubbed(change: PlanChange, scrub: (text: string) => string): PlannedChange {
  const { address, previousAddress, type, action, attributes } = change;
  const told = (name: string): string => scrub(name).slice(0, LONGEST_ADDRESS);
  return {
    address: told(address),
    ...(previousAddress === undefined ? {} : { previousAddress: told(previousAddress) }),
    type,
    action,
    attributes: attributes.map((path) => scrub(path).slice(0, LONGEST_ATTRIBUTE)),
  };
}

/** A name of the greatest length may have been cut, and what is updated in nothing is updated in what cannot be told. */
function isWhole({ address, previousAddress = "", action, attributes }: PlannedChange): boolean {
  if (action === "update" && attributes.length === 0) return false;
  return ![address, previousAddress].some(isCut) && attributes.every((path) => path.length < LONGEST_ATTRIBUTE);
}

/** Resources of one type change the same attributes: each text is looked at once. */
function remembering(scrub: (text: string) => string): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const now = scrub(text);
    known.set(text, now);
    return now;
  };
}
