import { UsageError } from "../arguments.ts";
import type { Cluster } from "../cluster.ts";
import { COMPONENT, type Command, type Context, ENVIRONMENT, type OptionSpec, type Said, YES } from "../command.ts";
import { confirm } from "../confirming.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { explain } from "../explain.ts";
import { readEnvironment, readRuns } from "../lookup.ts";
import { NotReady } from "../outcomes.ts";
import { paintOf } from "../printing.ts";
import { type PlanPicture, waitingPlans } from "../reading/plans.ts";
import { sign, type Word } from "../signing.ts";
import { signView } from "../view/plans.ts";
import { resumption } from "./ask.ts";

const OPTIONS: readonly OptionSpec[] = [
  COMPONENT,
  { name: "reason", short: "r", value: "TEXT", about: "why, for the record" },
  {
    name: "digest",
    value: "SHA256",
    multiple: true,
    about:
      "only plans of this digest, or of one that begins with these eight digits or more: for scripts that have read it",
  },
  YES,
];

const DETAILS = [
  "It lists Run, digest and counts of every plan that waits, and by name what is destroyed; then it asks once, and signs each",
  "for exactly the digest that was shown. A plan that changes in the meantime is another plan: such a signature does not count.",
  "The API server says who you are, and asks for the verb `approve` on the environment. Exits with 3 when no plan waits.",
];

export const approve: Command = {
  name: "approve",
  summary: "say yes to the plans that wait, several in one act",
  arguments: [ENVIRONMENT],
  options: OPTIONS,
  details: DETAILS,
  run: (context, said) => decide(context, said, "Approve"),
};

export const reject: Command = {
  name: "reject",
  summary: "say no: the Run ends, and nothing comes back until something changes",
  arguments: [ENVIRONMENT],
  options: OPTIONS,
  details: DETAILS,
  run: (context, said) => decide(context, said, "Reject"),
};

async function decide(context: Context, said: Said, decision: Word["decision"]): Promise<ExitCode> {
  const { terminal, clock } = context;
  const digests = said.values("digest").map(begunDigest);
  const cluster = await context.cluster();
  const environment = await readEnvironment(cluster, said.argument(0));
  const plans = chosen(waitingPlans(environment, await readRuns(cluster, environment)), said, digests);
  if (plans.length === 0)
    throw new NotReady(`No plan of ${environment.metadata.name} waits for approval${narrowed(said)}.`);
  const approver = await cluster.self.whoAmI();
  terminal.print(signView(plans, clock.now(), paintOf(terminal)).join("\n"));
  const what = plans.length === 1 ? "this plan" : `these ${plans.length} plans`;
  await confirm(terminal, { text: `${decision} ${what} as ${approver}?`, answer: "yes", agreed: said.has("yes") });
  const code = await signAll(context, cluster, plans, { decision, approver, reason: said.value("reason") });
  const { metadata, spec } = environment;
  if (spec.suspend && decision === "Approve")
    terminal.tell(`${metadata.name} is suspended: nothing is applied before: ${resumption(cluster, metadata.name)}`);
  return code;
}

/** A script's variable that is empty, or was cut off, must not stand for every plan there is. */
function begunDigest(text: string): string {
  const digits = /^(?:sha256:)?([0-9a-f]{8,64})$/.exec(text)?.[1];
  if (digits !== undefined) return `sha256:${digits}`;
  throw new UsageError(`--digest is the digest of a plan, or at least its first eight digits, not "${text}"`);
}

function chosen(plans: readonly PlanPicture[], said: Said, digests: readonly string[]): readonly PlanPicture[] {
  const components = said.values("component");
  return plans
    .filter(({ component }) => components.length === 0 || components.includes(component))
    .filter(({ digest }) => digests.length === 0 || digests.some((begun) => digest.startsWith(begun)));
}

const narrowed = (said: Said) =>
  said.values("component").length + said.values("digest").length === 0 ? "" : " that you named";

/** One that is refused does not keep the others from being signed. */
async function signAll(
  { terminal }: Context,
  cluster: Cluster,
  plans: readonly PlanPicture[],
  word: Word,
): Promise<ExitCode> {
  let worst: ExitCode = EXIT.done;
  const done = word.decision === "Approve" ? "Approved" : "Rejected";
  for (const plan of plans) {
    try {
      const { before, ignored } = await sign(cluster, plan, word);
      terminal.print(`${done}${before ? " before" : ""}: ${plan.run} (${plan.digest})`);
      if (ignored !== undefined) terminal.tell(`${plan.run}: what you said before does not count: ${ignored}`);
    } catch (error) {
      const { sentence, code } = explain(error);
      terminal.tell(`${plan.run}: ${sentence}`);
      worst = code;
    }
  }
  return worst;
}
