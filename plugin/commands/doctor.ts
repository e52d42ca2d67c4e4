import { GROUP, VERSION } from "../../operator/api/names.ts";
import { isForbidden, isNotFound } from "../../operator/cluster/errors.ts";
import type { Lease } from "../../operator/cluster/kinds.ts";
import type { KubeObject } from "../../operator/cluster/ports.ts";
import { APPROVALS, DEPLOYMENTS, ENVIRONMENTS, LEASES, PODS, RUNS } from "../../operator/cluster/resources.ts";
import type { Cluster } from "../cluster.ts";
import { type Command, type Context, ENVIRONMENT, OUTPUT } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { readEnvironment, readEnvironments, readRuns } from "../lookup.ts";
import { paintOf, printed } from "../printing.ts";
import { diagnosis, type HealthFacts, LEASE_MS, type OperatorFacts, type Right } from "../reading/diagnosis.ts";
import { type Picture, pictureOf } from "../reading/picture.ts";
import { doctorView } from "../view/doctor.ts";

const OPERATOR = "app.kubernetes.io/name=terrarium,app.kubernetes.io/component=operator";
const USUAL_NAMESPACE = "terrarium-system";
const LEASE = "terrarium-operator";

export const doctor: Command = {
  name: "doctor",
  summary: "is the operator healthy, what may you do, what is wrong here, and what to do next",
  arguments: [{ ...ENVIRONMENT, optional: true }],
  options: [OUTPUT],
  details: ["Exits with 3 when something is wrong."],
  async run({ cluster: open, terminal, clock, signal }, said) {
    const cluster = await open();
    const findings = diagnosis(await examine(cluster, said.arguments[0], { clock, signal }));
    terminal.print(printed(said, findings, () => doctorView(findings, paintOf(terminal))));
    return findings.some(({ level }) => level === "bad") ? EXIT.waiting : EXIT.done;
  },
};

type Time = Pick<Context, "clock" | "signal">;

async function examine(cluster: Cluster, name: string | undefined, time: Time): Promise<HealthFacts> {
  const { context, server, namespace, self, facts } = cluster;
  const nowMs = time.clock.now().getTime();
  const [version, kinds, user] = await Promise.all([facts.version(), facts.resourcesOf(GROUP, VERSION), self.whoAmI()]);
  const base = { context, server, namespace, version, kinds, user, focus: name !== undefined, nowMs };
  if (kinds === undefined) return { ...base, operator: undefined, rights: [], pictures: [] };
  const [operator, rights, pictures] = await Promise.all([
    lookAtOperator(cluster, time),
    askRights(cluster, name),
    lookAtEnvironments(cluster, name),
  ]);
  return { ...base, operator, rights, pictures };
}

interface Deployment extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: { readonly spec?: { readonly containers?: readonly { readonly image?: string }[] } };
  };
  readonly status?: { readonly readyReplicas?: number };
}

async function lookAtOperator(cluster: Cluster, time: Time): Promise<OperatorFacts | "hidden" | undefined> {
  const everywhere = await seen(() => cluster.client.listAll<Deployment>(DEPLOYMENTS, { labelSelector: OPERATOR }));
  const found =
    everywhere ??
    (await seen(() =>
      cluster.client.listAll<Deployment>(DEPLOYMENTS, { namespace: USUAL_NAMESPACE, labelSelector: OPERATOR }),
    ));
  if (found === undefined) return "hidden";
  const [deployment] = found.items;
  if (deployment === undefined) return everywhere === undefined ? "hidden" : undefined;
  const namespace = deployment.metadata.namespace ?? USUAL_NAMESPACE;
  const lease = await lookAtLease(cluster, namespace, time);
  return {
    namespace,
    wanted: deployment.spec?.replicas ?? 1,
    ready: deployment.status?.readyReplicas ?? 0,
    image: deployment.spec?.template?.spec?.containers?.[0]?.image ?? "image unknown",
    ...lease,
  };
}

/** Longer than a leader waits before it renews. */
const BETWEEN_LOOKS_MS = 6_000;

/** One that seems old is looked at twice: the clock here may not be that of the cluster. */
async function lookAtLease(
  { client }: Cluster,
  namespace: string,
  { clock, signal }: Time,
): Promise<Pick<OperatorFacts, "renewedAt" | "renews">> {
  const look = async () =>
    (await seen(() => client.find<Lease>(LEASES, namespace, LEASE)))?.spec?.renewTime ?? undefined;
  const renewedAt = await look();
  if (renewedAt === undefined) return {};
  if (clock.now().getTime() - Date.parse(renewedAt) <= LEASE_MS) return { renewedAt };
  await clock.sleep(BETWEEN_LOOKS_MS, signal);
  return { renewedAt, renews: (await look()) !== renewedAt };
}

/** Undefined when the caller may not see it. */
async function seen<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (isForbidden(error) || isNotFound(error)) return undefined;
    throw error;
  }
}

async function askRights({ self, namespace }: Cluster, name: string | undefined): Promise<readonly Right[]> {
  const environment = { resource: ENVIRONMENTS, ...(name === undefined ? {} : { name }) };
  const rights = [
    { to: "see environments and their Runs", role: "view", needs: [{ verb: "list", resource: RUNS }] },
    { to: "read the engine's output", role: "view", needs: [{ verb: "get", resource: PODS, subresource: "log" }] },
    { to: "change environments: run, suspend, resume", role: "edit", needs: [{ verb: "patch", ...environment }] },
    {
      to: "approve and reject plans",
      role: "terrarium-approver",
      needs: [
        { verb: "approve", ...environment },
        { verb: "create", resource: APPROVALS },
      ],
    },
    { to: "state that a pod is dead: unlock", role: "admin", needs: [{ verb: "patch", resource: RUNS }] },
  ];
  return Promise.all(
    rights.map(async ({ to, role, needs }) => {
      const answers = await Promise.all(needs.map((question) => self.mayI({ ...question, namespace })));
      return { to, role, allowed: answers.every((yes) => yes) };
    }),
  );
}

async function lookAtEnvironments(cluster: Cluster, name: string | undefined): Promise<readonly Picture[] | "hidden"> {
  if (name !== undefined) {
    const picture = await seen(async () => {
      const environment = await readEnvironment(cluster, name);
      return pictureOf(environment, await readRuns(cluster, environment));
    });
    return picture === undefined ? "hidden" : [picture];
  }
  const found = await seen(async () => ({
    environments: await readEnvironments(cluster),
    runs: await readRuns(cluster),
  }));
  if (found === undefined) return "hidden";
  const { environments, runs } = found;
  return environments.map((environment) =>
    pictureOf(
      environment,
      runs.filter(({ spec }) => spec.environment.uid === environment.metadata.uid),
    ),
  );
}
