import { ANNOTATIONS } from "../../operator/api/names.ts";
import { UsageError } from "../arguments.ts";
import { type Command, ENVIRONMENT, type Said } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { readEnvironment } from "../lookup.ts";
import { NotReady } from "../outcomes.ts";
import { annotate } from "./ask.ts";

export const extend: Command = {
  name: "extend",
  summary: "let an environment live longer than its lifetime says",
  arguments: [ENVIRONMENT],
  options: [
    { name: "for", value: "DURATION", about: "from now on, as in 30m, 12h or 7d" },
    { name: "until", value: "TIME", about: "as in 2026-12-24T18:00:00Z" },
  ],
  details: [
    "Sets the annotation terrarium.dev/extend-until. What an Environment declares in spec.lifetime stays as it is.",
  ],
  async run({ cluster: open, terminal, clock }, said) {
    const until = untilOf(said, clock.now());
    const cluster = await open();
    const { metadata, spec } = await readEnvironment(cluster, said.argument(0));
    if (spec.lifetime?.ttl === undefined && spec.lifetime?.until === undefined)
      throw new NotReady(`${metadata.name} has no lifetime that could be extended: it ends when somebody deletes it.`);
    await annotate(cluster, metadata.name, { [ANNOTATIONS.extendUntil]: until });
    terminal.print(`${metadata.name} lives until ${until}.`);
    return EXIT.done;
  },
};

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function untilOf(said: Said, now: Date): string {
  const [duration, time] = [said.value("for"), said.value("until")];
  if ((duration === undefined) === (time === undefined)) throw new UsageError("say --for DURATION or --until TIME");
  const at = duration === undefined ? Date.parse(time ?? "") : now.getTime() + msOf(duration);
  if (Number.isNaN(at)) throw new UsageError(`--until is a time as in 2026-12-24T18:00:00Z, not "${time}"`);
  if (at <= now.getTime()) throw new UsageError(`${new Date(at).toISOString()} is past`);
  return new Date(at).toISOString();
}

function msOf(duration: string): number {
  const [, count = "", unit = ""] = /^(\d+)([mhd])$/.exec(duration) ?? [];
  const ms = Number(count) * (UNITS[unit] ?? Number.NaN);
  if (!(ms > 0)) throw new UsageError(`--for is a duration as in 30m, 12h or 7d, not "${duration}"`);
  return ms;
}
