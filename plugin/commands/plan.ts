import { LABELS } from "../../operator/api/names.ts";
import { isForbidden } from "../../operator/cluster/errors.ts";
import type { ConfigMap } from "../../operator/cluster/kinds.ts";
import { CONFIG_MAPS } from "../../operator/cluster/resources.ts";
import type { Cluster } from "../cluster.ts";
import { type Command, ENVIRONMENT, OUTPUT } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { harmlessText } from "../harmless.ts";
import { mustKnowComponent, readEnvironment, readRuns } from "../lookup.ts";
import { NotReady } from "../outcomes.ts";
import { paintOf, printed } from "../printing.ts";
import { lacksApproval, lastPlans, waitingPlans } from "../reading/plans.ts";
import { planView } from "../view/plans.ts";

export const plan: Command = {
  name: "plan",
  summary: "the plans that wait for approval, as people read them; or else the last one of each component",
  arguments: [ENVIRONMENT, { name: "COMPONENT", optional: true, offers: "component" }],
  options: [OUTPUT],
  details: [
    "The readable plan, without secret values, is in the ConfigMap RUN-plan. Who may not read ConfigMaps sees the Run's summary.",
    "Exits with 3 when there is no plan at all.",
  ],
  async run({ cluster: open, terminal, clock }, said) {
    const cluster = await open();
    const environment = await readEnvironment(cluster, said.argument(0));
    const [, component] = said.arguments;
    const runs = await readRuns(cluster, environment);
    const wanted = runs.filter(({ spec }) => component === undefined || spec.component === component);
    const waiting = waitingPlans(environment, wanted);
    const plans = waiting.length > 0 ? waiting : lastPlans(environment, wanted);
    const name = environment.metadata.name;
    if (plans.length === 0 && component !== undefined) mustKnowComponent(environment, component);
    if (plans.length === 0) throw new NotReady(`There is no plan of ${name}${component ? `/${component}` : ""} yet.`);
    const texts = new Map(await Promise.all(plans.map(async ({ run }) => [run, await textOf(cluster, run)] as const)));
    const data = plans.map((one) => ({ ...one, text: texts.get(one.run) }));
    if (waiting.length === 0) terminal.tell("No plan waits for approval; this is what was planned last.\n");
    const lines = () =>
      data.flatMap(({ text, ...one }) => [...planView(one, text, clock.now(), paintOf(terminal)), ""]);
    terminal.print(printed(said, data, lines).trimEnd());
    if (waiting.some(lacksApproval) && !said.value("output"))
      terminal.tell(`\nApprove with: kubectl terrarium approve ${name} -n ${cluster.namespace}`);
    return EXIT.done;
  },
};

/** What the operator wrote for readers; undefined where there is nothing, or it may not be read. */
async function textOf({ client, namespace }: Cluster, run: string): Promise<string | undefined> {
  try {
    const found = await client.find<ConfigMap>(CONFIG_MAPS, namespace, `${run}-plan`);
    // Anybody may make an object of that name; only the operator may give it this label.
    const text = found?.metadata.labels?.[LABELS.planOf] === run ? found.data?.["plan.txt"] : undefined;
    return text === undefined ? undefined : harmlessText(text);
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}
