import { ANNOTATIONS } from "../../operator/api/names.ts";
import { isClosed, type Run } from "../../operator/api/run.ts";
import { podInQuestion } from "../../operator/api/said-dead.ts";
import { RUNS } from "../../operator/cluster/resources.ts";
import { type Command, YES } from "../command.ts";
import { confirm } from "../confirming.ts";
import { EXIT } from "../exit-codes.ts";
import { readRun } from "../lookup.ts";
import { NotReady } from "../outcomes.ts";
import { paintOf } from "../printing.ts";
import { unlockWarning } from "../view/unlock.ts";

export const unlock: Command = {
  name: "unlock",
  summary: "state that the pod of a Run is dead, where the cluster cannot prove it",
  arguments: [{ name: "RUN", offers: "run" }],
  options: [YES],
  details: [
    "Annotates the Run with terrarium.dev/confirm-dead=UID, of the pod that status.unprovenPod of the Run names, or of its last one.",
    "Its lock is then released, and another pod may write the state.",
    "When the pod is alive after all, two of them write one state: look at its node first. It takes the role admin.",
  ],
  async run({ cluster: open, terminal }, said) {
    const cluster = await open();
    const run = await readRun(cluster, said.argument(0));
    if (isClosed(run)) throw new NotReady(endedText(run));
    const podUid = podInQuestion(run);
    if (podUid === undefined) throw new NotReady(`The Run ${run.metadata.name} has no pod that could be dead.`);
    terminal.tell(unlockWarning(run, podUid, paintOf(terminal)).join("\n"));
    const question = "If you are sure, repeat the name of the Run.";
    await confirm(terminal, { text: question, answer: run.metadata.name, agreed: said.has("yes") });
    const annotations = { [ANNOTATIONS.confirmDead]: podUid };
    await cluster.client.mergePatch<Run>(RUNS, cluster.namespace, run.metadata.name, {
      metadata: { uid: run.metadata.uid, annotations },
    });
    const { name } = run.spec.environment;
    terminal.print(
      `Stated: the pod of ${run.metadata.name} is dead. kubectl terrarium status ${name} -n ${cluster.namespace}`,
    );
    return EXIT.done;
  },
};

/** It hears no word any more; a record from before its end, out of a backup, may say that it holds the lock. */
function endedText({ metadata, spec }: Run): string {
  const command = `kubectl terrarium state unlock ${spec.environment.name} ${spec.component} -n ${metadata.namespace}`;
  return `The Run ${metadata.name} has ended. Where it is said to hold the lock all the same: ${command}`;
}
