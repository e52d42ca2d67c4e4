import { COMPONENT, type Command, ENVIRONMENT, OUTPUT } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { mustKnowComponent, readEnvironment, readRuns } from "../lookup.ts";
import { paintOf, printed } from "../printing.ts";
import { runLine, runsView } from "../view/runs.ts";

export const runs: Command = {
  name: "runs",
  summary: "every attempt that is on record, the newest first, with its cause, plan and end",
  arguments: [{ ...ENVIRONMENT, optional: true }],
  options: [COMPONENT, OUTPUT],
  details: ["Without ENV: of all environments of the namespace."],
  async run({ cluster: open, terminal, clock }, said) {
    const cluster = await open();
    const [name] = said.arguments;
    const environment = name === undefined ? undefined : await readEnvironment(cluster, name);
    const wanted = said.values("component");
    const found = await readRuns(cluster, environment);
    const lines = found.filter(({ spec }) => wanted.length === 0 || wanted.includes(spec.component)).map(runLine);
    if (lines.length === 0 && environment !== undefined)
      for (const component of wanted) mustKnowComponent(environment, component);
    if (lines.length === 0 && !said.value("output")) terminal.tell("There are no Runs on record.");
    else terminal.print(printed(said, lines, () => runsView(lines, clock.now(), paintOf(terminal))));
    return EXIT.done;
  },
};
