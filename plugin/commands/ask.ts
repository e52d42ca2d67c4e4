import type { Environment } from "../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../operator/api/names.ts";
import { ENVIRONMENTS } from "../../operator/cluster/resources.ts";
import { gateOf, troubleText } from "../../operator/schedule/gate.ts";
import { isExpired } from "../../operator/schedule/lifetime.ts";
import { UsageError } from "../arguments.ts";
import type { Cluster } from "../cluster.ts";
import { type Command, ENVIRONMENT } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { readEnvironment } from "../lookup.ts";

/** Commands that change one field or annotation of an Environment, as a person with `edit` may. */

export const run: Command = {
  name: "run",
  summary: "ask for a fresh Run of every component now",
  arguments: [ENVIRONMENT],
  options: [
    { name: "override-windows", value: "REASON", about: "outside of spec.windows, too: an emergency, and why" },
  ],
  details: [
    "Sets the annotation terrarium.dev/requestedAt. Refs are looked up anew, waits for the next try end, and an interrupted component goes on.",
  ],
  async run({ cluster: open, terminal, clock }, said) {
    const override = said.value("override-windows");
    if (override?.trim() === "")
      throw new UsageError("--override-windows needs a reason: it is kept in the Run's record");
    const cluster = await open();
    const environment = await readEnvironment(cluster, said.argument(0));
    const { metadata } = environment;
    await annotate(cluster, metadata.name, {
      [ANNOTATIONS.requestedAt]: clock.now().toISOString(),
      ...(override === undefined ? {} : { [ANNOTATIONS.windowOverride]: override }),
    });
    terminal.print(`Asked for a Run of every component of ${metadata.name}.`);
    for (const sentence of hindrances(cluster, environment, clock.now(), override)) terminal.tell(sentence);
    return EXIT.done;
  },
};

/** Why a Run that is asked for does not begin now, with what helps. */
function hindrances(
  { namespace }: Cluster,
  environment: Environment,
  now: Date,
  override: string | undefined,
): readonly string[] {
  const { metadata, spec } = environment;
  const { name } = metadata;
  const ours = (command: string) => `kubectl terrarium ${command} -n ${namespace}`;
  if (metadata.deletionTimestamp !== undefined)
    return [`${name} is being deleted: nothing is applied any more, only destroyed.`];
  const told: string[] = [];
  if (isExpired(environment, now.getTime()))
    told.push(`${name} has come to its end: nothing is applied before: ${ours(`extend ${name} --for 24h`)}`);
  if (spec.suspend) told.push(`${name} is suspended: nothing starts before: ${ours(`resume ${name}`)}`);
  const gate = gateOf(environment, now.getTime());
  if (gate.state === "invalid") told.push(`Nothing starts: ${troubleText(gate.trouble)}`);
  if (gate.state === "closed" && override === undefined)
    told.push(`Nothing starts yet: ${gate.message}. In an emergency: ${ours(`run ${name} --override-windows REASON`)}`);
  return told;
}

export const suspend: Command = {
  name: "suspend",
  summary: "start no new Run until resume; an apply that is under way ends first",
  arguments: [ENVIRONMENT],
  options: [],
  details: [
    "Sets spec.suspend. Where a GitOps tool applies the manifest, change it there, or the tool takes this back.",
  ],
  run: async ({ cluster: open, terminal }, said) => {
    const cluster = await open();
    const { changed, name } = await setSuspended(cluster, said.argument(0), true);
    terminal.print(
      changed ? `${name} is suspended. Go on with: ${resumption(cluster, name)}` : `${name} was suspended already.`,
    );
    return EXIT.done;
  },
};

export const resume: Command = {
  name: "resume",
  summary: "go on after suspend",
  arguments: [ENVIRONMENT],
  options: [],
  run: async ({ cluster: open, terminal }, said) => {
    const { changed, name } = await setSuspended(await open(), said.argument(0), false);
    terminal.print(changed ? `${name} goes on.` : `${name} was not suspended.`);
    return EXIT.done;
  },
};

export const resumption = ({ namespace }: Cluster, name: string) => `kubectl terrarium resume ${name} -n ${namespace}`;

async function setSuspended(cluster: Cluster, name: string, suspended: boolean) {
  const { spec } = await readEnvironment(cluster, name);
  const changed = spec.suspend !== suspended;
  if (changed) await patch(cluster, name, { spec: { suspend: suspended } });
  return { changed, name };
}

/** `null` takes an annotation away. */
export function annotate(cluster: Cluster, name: string, annotations: Readonly<Record<string, string | null>>) {
  return patch(cluster, name, { metadata: { annotations } });
}

function patch({ client, namespace }: Cluster, name: string, change: Readonly<Record<string, unknown>>) {
  return client.mergePatch<Environment>(ENVIRONMENTS, namespace, name, change);
}
