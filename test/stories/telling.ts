import { createWorld, Violation, type World, type WorldOptions } from "../fakes/world.ts";
import { type People, people } from "../fakes/world-people.ts";

const HOUR_MS = 3_600_000;

export interface Told {
  readonly world: World;
  readonly person: People;
}

/** How one telling went. */
export interface Telling {
  /** What broke a promise; undefined where none was broken. */
  readonly trouble: Error | undefined;
  /** The names of all that went wrong and of what people did. */
  readonly incidents: readonly string[];
  readonly lines: readonly string[];
  readonly steps: number;
  /** Differs wherever two tellings differ. */
  readonly trace: string;
}

/** Tells one story in a world of its own, which ends in any case. */
export async function telling(options: WorldOptions, story: (told: Told) => Promise<void>): Promise<Telling> {
  const world = createWorld(options);
  let trouble: Error | undefined;
  try {
    await story({ world, person: people(world) });
  } catch (error) {
    trouble = error instanceof Error ? error : new Error(String(error));
  }
  const { told, incidents } = world;
  const result = {
    trouble,
    incidents: [...incidents.names],
    lines: [...told],
    steps: world.steps(),
    trace: world.trace(),
  };
  await world.end();
  return result;
}

/** The same, where trouble is thrown. */
export async function tell(options: WorldOptions, story: (told: Told) => Promise<void>): Promise<Telling> {
  const result = await telling(options, story);
  if (result.trouble !== undefined) throw result.trouble;
  return result;
}

/** What sleeps twice an hour, and asks people each time, has many before a day is over. */
const MOST_ROUNDS = 3_000;

/** Lets time pass until `done`, and nothing but time is missing; where the status asks for a person, somebody helps. */
export async function until({ world, person }: Told, what: string, done: () => boolean, helps = true): Promise<void> {
  for (let rounds = 0; rounds < MOST_ROUNDS; rounds += 1) {
    await world.rest();
    if (done()) return;
    if (helps && person.help()) continue;
    const wait = world.clock.untilNext();
    if (wait === undefined || wait > 48 * HOUR_MS) break;
    world.clock.advance(wait);
  }
  throw new Violation(
    `in vain: ${what}\n${picture({ world, person })}\n${world.told.slice(-Number(process.env.TERRARIUM_LINES ?? 60)).join("\n")}`,
  );
}

export function picture({ world, person }: Told): string {
  const environment = person.find();
  const runs = person.runs().map(({ metadata, spec, status }) => ({
    name: metadata.name,
    what: `${spec.operation} ${spec.component} #${spec.number} attempt ${spec.attempt}`,
    phase: status?.phase,
    message: status?.message,
    outcome: status?.outcome,
    pods: status?.pods,
  }));
  return JSON.stringify(
    {
      status: environment?.status,
      spec: environment?.spec.components,
      deletion: environment?.metadata.deletionTimestamp,
      annotations: environment?.metadata.annotations,
      generation: environment?.metadata.generation,
      runs,
      things: person.things(),
      wanted: person.wanted(),
      waiting: world.turns.waiting().map(({ sender, what }) => `${sender.name}: ${what}`),
      records: world.store.memory
        .records()
        .map(({ key, owner, ownership, claim, lock, mayHoldObjects, lastResult }) => ({
          key,
          owner,
          ownership,
          claim,
          lock,
          mayHoldObjects,
          lastResult,
        })),
    },
    null,
    1,
  );
}

/** Everything that is declared for this moment exists, nothing else does, and the status says so. */
export function isConverged({ person }: Told): boolean {
  if (!person.exists()) return true;
  const saysSo = person.isOver() ? person.hasEnded() : person.isReady();
  return saysSo && person.things().join() === person.wanted().join();
}

/** A healthy object is not written to: not at another look, not after a restart, not a day later. */
export async function staysQuiet({ world }: Told): Promise<void> {
  await world.rest();
  // A round that failed late has its back-off still to come.
  world.clock.advance(HOUR_MS);
  await world.rest();
  const before = world.writes.length;
  world.operator().lookAgain();
  await world.rest();
  world.restartOperator();
  await world.rest();
  world.clock.advance(24 * HOUR_MS);
  await world.rest();
  const late = world.writes.slice(before);
  if (late.length > 0) throw new Violation(`I5: nothing has changed, and these were written: ${late.join(", ")}`);
}
