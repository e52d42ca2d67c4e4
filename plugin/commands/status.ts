import type { Environment } from "../../operator/api/environment.ts";
import { LABELS } from "../../operator/api/names.ts";
import { ENVIRONMENTS, RUNS } from "../../operator/cluster/resources.ts";
import type { Cluster } from "../cluster.ts";
import { type Command, type Context, ENVIRONMENT, OUTPUT, type Said, untilUnheard } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { news, passes } from "../following.ts";
import { readEnvironment, readEnvironments, readRuns } from "../lookup.ts";
import { paintOf, printed } from "../printing.ts";
import { type Picture, pictureOf } from "../reading/picture.ts";
import { statusesView, statusView } from "../view/status.ts";

export const status: Command = {
  name: "status",
  summary: "what an environment is doing, what waits, for whom, and what that holds up",
  arguments: [{ ...ENVIRONMENT, optional: true }],
  options: [OUTPUT, { name: "watch", short: "w", about: "go on showing it, until Ctrl-C" }],
  details: [
    "Without ENV: one line for each environment of the namespace.",
    "Exits with 0 when everything that was asked about is Ready, and with 3 when it is not.",
  ],
  async run(context, said) {
    const cluster = await context.cluster();
    const [name] = said.arguments;
    const asked = { context, said, cluster, name };
    if (said.has("watch")) return watch(asked);
    const pictures = await readPictures(asked);
    context.terminal.print(shown(asked, pictures));
    return pictures.every(({ ready }) => ready) ? EXIT.done : EXIT.waiting;
  },
};

interface Asked {
  readonly context: Context;
  readonly said: Said;
  readonly cluster: Cluster;
  /** Nothing: all of the namespace. */
  readonly name: string | undefined;
}

async function readPictures({ cluster, name }: Asked): Promise<readonly Picture[]> {
  if (name !== undefined) {
    const environment = await readEnvironment(cluster, name);
    return [pictureOf(environment, await readRuns(cluster, environment))];
  }
  const [environments, runs] = await Promise.all([readEnvironments(cluster), readRuns(cluster)]);
  const own = ({ metadata }: Environment) => runs.filter(({ spec }) => spec.environment.uid === metadata.uid);
  return environments.map((environment) => pictureOf(environment, own(environment)));
}

function shown({ context, said, cluster, name }: Asked, pictures: readonly Picture[]) {
  const { terminal, clock } = context;
  const paint = paintOf(terminal);
  const [first] = pictures;
  if (name !== undefined && first !== undefined)
    return printed(said, first, () => statusView(first, clock.now(), paint));
  if (pictures.length === 0 && !said.value("output"))
    return `There are no environments in the namespace ${cluster.namespace}: choose another one with -n.`;
  return printed(said, pictures, () => statusesView(pictures, clock.now(), paint));
}

/** Of several documents in YAML each but the first has to begin somewhere. */
const between = (said: Said): string => (said.value("output") === "yaml" ? "---\n" : "");

/** On a screen ages and countdowns go on; and what could not be read is read again. */
const LOOK_MS = 5_000;

/** The same again after every change. */
async function watch(asked: Asked): Promise<ExitCode> {
  const { context, said, cluster, name } = asked;
  const { terminal, clock } = context;
  const { namespace } = cluster;
  const one = name === undefined ? {} : { fieldSelector: `metadata.name=${name}` };
  const its = name === undefined ? {} : { labelSelector: `${LABELS.environment}=${name}` };
  const followed = [
    { resource: ENVIRONMENTS, selection: { namespace, ...one } },
    { resource: RUNS, selection: { namespace, ...its } },
  ];
  // Data is for programs, which are told of changes alone.
  const onScreen = terminal.redraws && said.value("output") === undefined;
  let pictures: readonly Picture[] | undefined;
  let staleSince: Date | undefined;
  let [last, warned] = ["", false];
  const following = { clock, signal: untilUnheard(context), everyMs: LOOK_MS };
  for await (const { changed, silentSince } of news(cluster, followed, following)) {
    const isNews = changed || staleSince !== undefined;
    if (isNews) {
      const read = await readAgain(asked, pictures);
      staleSince = read === undefined ? (staleSince ?? clock.now()) : undefined;
      pictures = read ?? pictures;
    }
    if (pictures === undefined) continue;
    const since = silentSince ?? staleSince;
    const warning = since === undefined ? [] : [silenceText(since)];
    if (!onScreen && !warned) for (const sentence of warning) terminal.tell(sentence);
    warned = warning.length > 0;
    if (!onScreen && !isNews) continue;
    const text = [shown(asked, pictures), ...(onScreen ? warning : [])].join("\n\n");
    if (text !== last) terminal.show(last === "" ? text : `${between(said)}${text}`);
    last = text;
  }
  return context.signal.aborted ? EXIT.interrupted : EXIT.done;
}

/** Undefined: the API server fell silent in between. Whoever has seen nothing yet hears why. */
async function readAgain(asked: Asked, before: readonly Picture[] | undefined) {
  try {
    return await readPictures(asked);
  } catch (error) {
    if (before !== undefined && passes(error)) return undefined;
    throw error;
  }
}

const silenceText = (since: Date) =>
  `The API server has not answered since ${since.toISOString()}: what is shown is from then, and is looked at again as soon as it does.`;
