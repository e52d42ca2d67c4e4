import { z } from "zod";
import type { Environment } from "../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../operator/api/names.ts";
import { isConflict } from "../../operator/cluster/errors.ts";
import { ENVIRONMENTS } from "../../operator/cluster/resources.ts";
import { lifeOf } from "../../operator/schedule/lifetime.ts";
import { UsageError } from "../arguments.ts";
import type { Cluster } from "../cluster.ts";
import { type Command, ENVIRONMENT, type Said } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { readEnvironment } from "../lookup.ts";
import { NotReady } from "../outcomes.ts";

export const extend: Command = {
  name: "extend",
  summary: "let an environment live longer than its lifetime says",
  arguments: [ENVIRONMENT],
  options: [
    { name: "for", value: "DURATION", about: "from now on, as in 30m, 12h or 7d" },
    { name: "until", value: "TIME", about: "as in 2026-12-24T18:00:00Z, or 2026-12-24: its first moment in UTC" },
  ],
  details: [
    "Sets the annotation terrarium.dev/extend-until. What an Environment declares in spec.lifetime stays as it is.",
    "It never shortens: what lives as long or longer already stays as it is.",
  ],
  async run({ cluster: open, terminal, clock }, said) {
    const until = untilOf(said, clock.now());
    const cluster = await open();
    const { environment, already } = await livingUntil(until, cluster, said.argument(0));
    terminal.print(`${environment.metadata.name} lives until ${endOf(environment)}${already ? " already" : ""}.`);
    return EXIT.done;
  },
};

const MOST_TRIES = 5;

/** The Environment, which lives at least that long from now on. What is written in the same moment counts, too. */
async function livingUntil(until: string, cluster: Cluster, name: string) {
  for (let tries = 1; ; tries += 1) {
    const environment = await readEnvironment(cluster, name);
    if (environment.metadata.deletionTimestamp !== undefined)
      throw new NotReady(`${name} is being deleted: that goes on, however long it was to live.`);
    if (Date.parse(endOf(environment)) >= Date.parse(until)) return { environment, already: true };
    const { resourceVersion } = environment.metadata;
    const metadata = { resourceVersion, annotations: { [ANNOTATIONS.extendUntil]: until } };
    try {
      const { client, namespace } = cluster;
      const extended = await client.mergePatch<Environment>(ENVIRONMENTS, namespace, name, { metadata });
      return { environment: extended, already: false };
    } catch (error) {
      if (!isConflict(error) || tries === MOST_TRIES) throw error;
    }
  }
}

function endOf(environment: Environment): string {
  const life = lifeOf(environment);
  if (life !== undefined) return new Date(life.endsAtMs).toISOString();
  const { name } = environment.metadata;
  throw new NotReady(`${name} has no lifetime that could be extended: it ends when somebody deletes it.`);
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function untilOf(said: Said, now: Date): string {
  const [duration, time] = [said.value("for"), said.value("until")];
  if ((duration === undefined) === (time === undefined)) throw new UsageError("say --for DURATION or --until TIME");
  const at = duration === undefined ? momentOf(time ?? "") : now.getTime() + msOf(duration);
  if (at <= now.getTime()) throw new UsageError(`${new Date(at).toISOString()} is past`);
  return new Date(at).toISOString();
}

/** As `spec.lifetime.until`, or a date. Of anything else JavaScript makes some year or month, too. */
const MOMENT = z.union([z.iso.datetime({ offset: true }), z.iso.date()]);

function momentOf(time: string): number {
  if (MOMENT.safeParse(time).success) return Date.parse(time);
  throw new UsageError(`--until is a time as in 2026-12-24T18:00:00Z, or a date as in 2026-12-24, not "${time}"`);
}

function msOf(duration: string): number {
  const parts = /^(?:\d{1,6}[mhd])+$/.test(duration) ? duration.match(/\d+[mhd]/g) : null;
  const ms = (parts ?? []).reduce((sum, part) => sum + Number(part.slice(0, -1)) * (UNITS[part.slice(-1)] ?? 0), 0);
  if (ms === 0) throw new UsageError(`--for is a duration as in 30m, 1h30m, 12h or 7d, not "${duration}"`);
  return ms;
}
