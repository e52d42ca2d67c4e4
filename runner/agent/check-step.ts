/** A Check: what a plan of exactly what was applied would change is what differs. Nothing comes of it. */

import { digestOf } from "../../operator/api/digest.ts";
import { type DriftFound, driftIn, isDrifted } from "../../operator/engine/drift.ts";
import { readPlan } from "../../operator/engine/plan.ts";
import { parseState } from "../../operator/engine/state.ts";
import type { PlanReport } from "../../operator/gateway/protocol.ts";
import type { Bench } from "./bench.ts";
import type { Outcome } from "./ending.ts";
import type { Planned } from "./plan-step.ts";

/** Addresses that a report lists. */
const most = 50;
/** Addresses that a sentence names. */
const named = 3;

export interface Checked {
  readonly type: "told";
  readonly outcome: Outcome;
  readonly plan: PlanReport;
  readonly driftDigest?: string;
}

/** `state` is the one that the plan was made from: the gateway compares its serial with what is stored by then. */
export function checked({ order, scrubber }: Bench, { document, report }: Planned, state: Buffer | undefined): Checked {
  const found = driftIn(readPlan(document, Number.POSITIVE_INFINITY), order.ignore ?? []);
  const shown = (address: string) => scrubber.text(address).slice(0, 256);
  const resources = [
    ...found.differences.map(({ address, action }) => ({ address: shown(address), action })),
    ...found.outputs.map((address) => ({ address: shown(address), action: "update" })),
  ];
  const facts = state === undefined ? undefined : parseState(state.toString("utf8"));
  const drifted = isDrifted(found);
  // No rule is asked about a Check.
  const { changes: _listed, changesTruncated: _whole, driftOnly: _known, ...plan } = report;
  return {
    type: "told",
    outcome: {
      result: drifted ? "Drifted" : "Unchanged",
      reason: drifted ? "DriftFound" : "NoDrift",
      message: sentence(found, shown),
      ...(facts === undefined ? {} : { stateSerial: facts.serial, resources: facts.resourceCount }),
    },
    plan: {
      ...plan,
      counts: found.counts,
      empty: !drifted,
      resources: resources.slice(0, most),
      truncated: resources.length > most,
    },
    ...(drifted ? { driftDigest: driftDigest(found, (text) => scrubber.text(text)) } : {}),
  };
}

/** Of everything that differs, by name and never by value: what changes in other attributes is another drift. */
function driftDigest({ differences, outputs }: DriftFound, scrub: (text: string) => string): string {
  return digestOf({
    differences: differences.map(({ address, action, attributes }) => ({
      address: scrub(address),
      action,
      attributes: attributes.map(scrub),
    })),
    outputs: outputs.map(scrub),
  });
}

function sentence({ differences, outputs, ignored, outside }: DriftFound, shown: (address: string) => string): string {
  const list = (addresses: readonly string[]) => {
    const more = addresses.length > named ? ` and ${addresses.length - named} more` : "";
    return `${addresses.slice(0, named).map(shown).join(", ")}${more}`;
  };
  const differing = [...differences.map(({ address }) => address), ...outputs];
  const parts = [
    differing.length === 0
      ? "what was applied is what is there"
      : `what was applied is not what is there: ${list(differing)}`,
    ...(ignored.length === 0 ? [] : [`ignored: ${list(ignored)}`]),
    ...(outside.length === 0 ? [] : [`changed outside in what the module does not set: ${list(outside)}`]),
  ];
  return parts.join("; ");
}
