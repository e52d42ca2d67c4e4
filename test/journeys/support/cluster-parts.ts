/** Parts of the cluster itself, as processes that can be frozen and killed. What holds the cluster together starts them again. */
import assert from "node:assert/strict";
import { awaitCondition } from "../../../tools/cluster/await-condition.ts";
import { clusterUp } from "../../../tools/cluster/cluster-up.ts";
import { type ComponentState, componentStates } from "../../../tools/cluster/component-state.ts";
import type { ComponentName } from "../../../tools/cluster/components.ts";
import { findSupervisor } from "../../../tools/cluster/namespaces.ts";
import { patience } from "./patience.ts";
import type { Place } from "./place.ts";

/** Resolves when the part has ended, been started again, and the cluster is whole. `meanwhile` is called as soon as it has the signal. */
export async function signalPart(
  place: Place,
  part: ComponentName,
  signal: NodeJS.Signals,
  meanwhile: () => void = () => {},
): Promise<void> {
  const { pid, exits } = await stateOf(place, part);
  assert.ok(pid, `${part} runs`);
  process.kill(pid, signal);
  meanwhile();
  await untilWhole(place, part, exits + 1);
}

/** For as long as it takes the part stands still, and answers nobody; then SIGKILL. Resolves as `signalPart` does. */
export async function killPartAfter(place: Place, part: ComponentName, meanwhile: () => Promise<void>): Promise<void> {
  const exits = await whileFrozen(place, part, "SIGKILL", meanwhile);
  await untilWhole(place, part, exits + 1);
}

/** The same, but then it goes on as if nothing had been. */
export async function freezePart(place: Place, part: ComponentName, meanwhile: () => Promise<void>): Promise<void> {
  await whileFrozen(place, part, "SIGCONT", meanwhile);
}

/** Resolves with how often the part had ended before. */
async function whileFrozen(
  place: Place,
  part: ComponentName,
  then: NodeJS.Signals,
  meanwhile: () => Promise<void>,
): Promise<number> {
  const { pid, exits } = await stateOf(place, part);
  assert.ok(pid, `${part} runs`);
  process.kill(pid, "SIGSTOP");
  try {
    await meanwhile();
  } finally {
    process.kill(pid, then);
  }
  return exits;
}

/** `npm run cluster -- up` is content when everything runs again, and leaves alone what runs. */
async function untilWhole(place: Place, part: ComponentName, exits: number): Promise<void> {
  // An API server that is told to end lets what is under way end first, for a minute and more.
  await awaitCondition(`${part} to be started again`, 180 * patience, async () => {
    const state = await stateOf(place, part);
    return (state.pid !== undefined && state.exits >= exits) || `it has ended ${state.exits} times`;
  });
  await clusterUp({ name: place.installation.paths.name, progress: "silent" });
}

/**
 * An API server that has just begun deletes no namespace until it knows the kinds that its policies name, since whether one holds an
 * Environment is not to be guessed; and one whose policy was just taken away goes by it for a moment.
 */
export async function untilNamespacesMayGo({ installation: { kubectl }, namespace }: Place): Promise<void> {
  await awaitCondition("namespaces to be deletable again", 60 * patience, () =>
    kubectl.run(["delete", "namespace", namespace, "--dry-run=server"]).then(
      () => true as const,
      (error: Error) => error.message,
    ),
  );
}

async function stateOf({ installation: { paths } }: Place, part: ComponentName): Promise<ComponentState> {
  const states = await componentStates(paths, await findSupervisor(paths));
  const state = states.find(({ name }) => name === part);
  assert.ok(state);
  return state;
}
