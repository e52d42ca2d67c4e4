/**
 * How long from `kubectl apply` of a small Environment to Ready, and from the approval of a plan that waits to Ready, against a bare pod of
 * the same image that runs init and apply of the same module with a state file of its own? They alternate in one run, since machines are
 * noisy; medians and their ratios are printed.
 *
 *   KUBECONFIG=… npm run bench:latency -- --image RUNNER_IMAGE [--rounds 9] [--engine opentofu]
 */
import { parseArgs } from "node:util";
import { ANNOTATIONS } from "../../operator/api/names.ts";
import { createClient } from "../../operator/cluster/client.ts";
import { connect } from "../../operator/cluster/connection.ts";
import type { Pod } from "../../operator/cluster/kinds.ts";
import type { Client, KubeObject, Resource, Stored } from "../../operator/cluster/ports.ts";
import { APPROVALS, ENVIRONMENTS, NAMESPACES, PODS, RUNS } from "../../operator/cluster/resources.ts";
import { createTransport } from "../../operator/cluster/transport.ts";
import { systemClock } from "../../operator/loop/clock.ts";

const MODULE = `resource "terraform_data" "small" {\n  input = 1\n}\n\noutput "small" {\n  value = terraform_data.small.output\n}\n`;
const NAMESPACE = "terrarium-latency";
const LIMIT_MS = 60_000;
const SELF_SUBJECT_REVIEWS: Resource = {
  group: "authentication.k8s.io",
  version: "v1",
  plural: "selfsubjectreviews",
  kind: "SelfSubjectReview",
  namespaced: false,
};

type Environment = KubeObject & {
  readonly spec: unknown;
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly components?: readonly { readonly run?: string; readonly approval?: { readonly planDigest: string } }[];
  };
};

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    engine: { type: "string", default: "opentofu" },
    image: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help || values.image === undefined) {
  process.stdout.write(
    "usage: npm run bench:latency -- --image RUNNER_IMAGE [--rounds 9] [--engine opentofu|terraform]\n",
  );
  process.exit(values.help ? 0 : 2);
}
const { image, engine } = values;
const program = engine === "terraform" ? "terraform" : "tofu";

const connection = await connect();
const client = createClient(createTransport({ connection, clock: systemClock }));
await client.apply<KubeObject>(NAMESPACES, { metadata: { name: NAMESPACE } });

const { status: me } = await client.create<
  KubeObject & { readonly status?: { readonly userInfo: { readonly username: string } } }
>(SELF_SUBJECT_REVIEWS, { metadata: { name: "" } });

/** Creates an object and waits, on a watch, until something is done; milliseconds. */
async function timed<T extends KubeObject>(
  resource: Resource,
  name: string,
  create: () => Promise<unknown>,
  done: (now: Stored<T>) => boolean,
): Promise<number> {
  const { resourceVersion } = await client.list<T>(resource, { namespace: NAMESPACE, limit: 1 });
  const abort = new AbortController();
  const limit = setTimeout(() => abort.abort(new Error(`${name} took longer than ${LIMIT_MS} ms`)), LIMIT_MS);
  const events = await client.watch<T>(resource, {
    namespace: NAMESPACE,
    resourceVersion,
    timeoutSeconds: 120,
    signal: abort.signal,
  });
  const began = performance.now();
  await create();
  for await (const event of events) {
    if (event.type === "BOOKMARK" || event.object.metadata.name !== name || !done(event.object)) continue;
    clearTimeout(limit);
    abort.abort();
    return performance.now() - began;
  }
  throw new Error(`the watch ended before ${name} was done`);
}

function environment(name: string, approval?: { readonly required: number }): Environment {
  return {
    metadata: { name, namespace: NAMESPACE },
    spec: {
      engine: { name: engine },
      ...(approval === undefined ? {} : { approval }),
      source: { inline: { "main.tf": MODULE } },
      components: [{ name: "small", terraform: {} }],
    },
  };
}

function barePod(round: number): Pod {
  const script = [
    "mkdir -p /work/module && cd /work/module",
    `printf '%s' "$MODULE" > main.tf`,
    `${program} init -input=false`,
    `${program} apply -input=false -auto-approve`,
  ].join(" && ");
  return {
    metadata: { name: `bare-${round}`, namespace: NAMESPACE },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 65_533, runAsGroup: 65_534, fsGroup: 65_534 },
      containers: [
        {
          name: "engine",
          image,
          command: ["sh", "-c", script],
          env: [
            { name: "MODULE", value: MODULE },
            { name: "HOME", value: "/work" },
          ],
          volumeMounts: [{ name: "work", mountPath: "/work" }],
        },
      ],
      volumes: [{ name: "work", emptyDir: {} }],
    },
  } as Pod;
}

const timedPod = (pod: Pod) => timed<Pod>(PODS, pod.metadata.name, () => client.create<Pod>(PODS, pod), hasEnded);
const timedEnvironment = (object: Environment) =>
  timed<Environment>(ENVIRONMENTS, object.metadata.name, () => client.create(ENVIRONMENTS, object), isReady);

/** From the Approval of a plan that waits until the Environment is Ready: the second pod, init, and the apply. */
async function timedApproval(name: string): Promise<number> {
  const waiting = (now: Environment) => now.status?.components?.[0]?.approval !== undefined;
  let seen: Environment | undefined;
  const create = () => client.create(ENVIRONMENTS, environment(name, { required: 1 }));
  await timed<Environment>(ENVIRONMENTS, name, create, (now) => {
    seen = now;
    return waiting(now);
  });
  const { run = "", approval } = seen?.status?.components?.[0] ?? {};
  const { uid } = (await client.get<KubeObject>(RUNS, NAMESPACE, run)).metadata;
  const spec = {
    environment: name,
    run: { name: run, uid },
    planDigest: approval?.planDigest,
    decision: "Approve",
    approver: me?.userInfo.username,
  };
  const word = { metadata: { name: run, namespace: NAMESPACE }, spec };
  return timed<Environment>(ENVIRONMENTS, name, () => client.create<KubeObject>(APPROVALS, word), isReady);
}

/** The rule that asked is lifted, so that taking the Environment away asks nobody. */
const askNobody = (name: string) =>
  client.mergePatch(ENVIRONMENTS, NAMESPACE, name, { spec: { approval: { required: 0 } } });

const isReady = (now: Environment) =>
  now.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
/** The pod's phase follows later: the container's own end is the fairer moment. */
const hasEnded = ({ status }: Pod): boolean => {
  const ended = status?.containerStatuses?.[0]?.state?.terminated;
  if (ended !== undefined && ended.exitCode !== 0) throw new Error(`the bare pod failed with ${ended.exitCode}`);
  return ended !== undefined;
};
const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

const bare: number[] = [];
const whole: number[] = [];
const approved: number[] = [];
for (let round = 0; round < Number(values.rounds); round += 1) {
  bare.push(await timedPod(barePod(round)));
  whole.push(await timedEnvironment(environment(`small-${round}`)));
  approved.push(await timedApproval(`asked-${round}`));
  await askNobody(`asked-${round}`);
  const [pod, ready, applied] = [bare, whole, approved].map((times) => Math.round(times.at(-1) ?? 0));
  process.stdout.write(
    `round ${round}: bare pod ${pod} ms, Environment ${ready} ms, approved → applied ${applied} ms\n`,
  );
}
const told = (times: readonly number[]) =>
  `${Math.round(median(times))} ms (${(median(times) / median(bare)).toFixed(2)} times the bare pod)`;
process.stdout.write(
  `median of ${values.rounds}: bare pod ${Math.round(median(bare))} ms, Environment ${told(whole)}, approved → applied ${told(approved)}\n`,
);
await cleanUp(client);
await connection.close();

/** Environments first: their namespace may not be deleted before they are gone. */
async function cleanUp({ delete: remove, listAll, mergePatch }: Client): Promise<void> {
  const { items } = await listAll<Environment>(ENVIRONMENTS, { namespace: NAMESPACE });
  // So many at once would wait for somebody to say that this is meant.
  const meant = { metadata: { annotations: { [ANNOTATIONS.confirmDelete]: "true" } } };
  for (const { metadata } of items) await mergePatch(ENVIRONMENTS, NAMESPACE, metadata.name, meant);
  for (const { metadata } of items) await remove(ENVIRONMENTS, NAMESPACE, metadata.name);
  while ((await listAll<Environment>(ENVIRONMENTS, { namespace: NAMESPACE })).items.length > 0)
    await systemClock.sleep(500);
  await remove(NAMESPACES, undefined, NAMESPACE);
}
