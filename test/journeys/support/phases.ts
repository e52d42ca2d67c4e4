/** One whole life, with a moment to stop at in the middle of each of its phases. */
import assert from "node:assert/strict";
import type { Run } from "../../../operator/api/run.ts";
import { approvers, says, untilHeld } from "./approvers.ts";
import { anEnvironment } from "./environments.ts";
import { fetches, LIBRARY } from "./half-way.ts";
import { planWaits, twoSteps } from "./modules.ts";
import { patience } from "./patience.ts";
import type { Place } from "./place.ts";

/** What the engine waits for, outside, in the phases that have a pod. */
const HELD = { init: LIBRARY, plan: "facts", apply: "create/second", destroy: "destroy/second" } as const;

/** Seconds. Where a part of the cluster has just begun anew, a pod waits for the scheduler, or for a node that counts as lost. */
const long = { within: 240 };

/**
 * Creates and deletes an Environment whose every change waits for a person, and lets something happen in the middle of each phase: in init, in
 * plan, while the plan waits, in apply, while the deletion waits, in destroy. What waits outside goes on with `goOn`. Fails unless it ends as if nothing had happened.
 */
export async function throughAllPhases(place: Place, happens: (goOn: () => void) => Promise<void>): Promise<void> {
  const { outside } = place;
  for (const what of Object.values(HELD)) outside.hold(what);
  await approvers(place, "ada");
  const module = (await fetches(place, LIBRARY)) + planWaits(outside) + twoSteps(outside.address);
  const components = [{ name: "one", module }];
  await place.apply(anEnvironment({ name: "served", approval: { required: 1 }, components }));
  const arrival = (phase: keyof typeof HELD) => outside.arrival(HELD[phase], long.within * 1000 * patience);
  const inTheMiddleOf = async (phase: keyof typeof HELD) => {
    await arrival(phase);
    await happens(() => outside.release(HELD[phase]));
  };
  const approved = async (number: number) => {
    const held = await untilHeld(place, "one", number, long);
    await happens(() => {});
    await says(place, "ada", "Approve", held);
  };

  await inTheMiddleOf("init");
  await inTheMiddleOf("plan");
  await approved(1);
  await inTheMiddleOf("apply");
  await place.untilReady("served", long);
  wentAtOnce(await place.runs("one"), ["Applied"]);

  await place.delete("served");
  await approved(2);
  await arrival("destroy");
  wentAtOnce(await place.runs("one"), ["Applied", undefined]);
  await inTheMiddleOf("destroy");
  await place.untilGone("served", long);
  const changes = outside.heard.filter((what) => /^(create|destroy)/.test(what));
  assert.deepEqual(changes, ["create/first", "create/second", "destroy/second", "destroy/first"]);
}

/** Nothing was tried twice: as many Runs as decisions, each with a pod that plans and a pod that goes on. */
function wentAtOnce(runs: readonly Run[], results: readonly unknown[]): void {
  const inOrder = runs.toSorted((one, other) => one.spec.number - other.spec.number);
  assert.deepEqual(
    inOrder.map(({ status }) => status?.outcome?.result),
    results,
  );
  for (const { metadata, status } of inOrder) assert.equal(status?.pods?.length, 2, `pods of ${metadata.name}`);
}
