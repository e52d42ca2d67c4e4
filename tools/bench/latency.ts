/**
 * How long from `kubectl apply` of a small Environment to Ready, against a bare pod of the same image that runs init and apply of the same
 * module with a state file of its own? Both alternate in one run, since machines are noisy; medians and their ratio are printed.
 *
 *   KUBECONFIG=… npm run bench:latency -- --image RUNNER_IMAGE [--rounds 9] [--engine opentofu]
 */
import { parseArgs } from "node:util";
import { createClient } from "../../operator/cluster/client.ts";
import { connect } from "../../operator/cluster/connection.ts";
import type { Pod } from "../../operator/cluster/kinds.ts";
import type { Client, KubeObject, Resource, Stored } from "../../operator/cluster/ports.ts";
import { ENVIRONMENTS, NAMESPACES, PODS } from "../../operator/cluster/resources.ts";
import { createTransport } from "../../operator/cluster/transport.ts";
import { systemClock } from "../../operator/loop/clock.ts";

const MODULE = `resource "terraform_data" "small" {\n  input = 1\n}\n\noutput "small" {\n  value = terraform_data.small.output\n}\n`;
const NAMESPACE = "terrarium-latency";
const LIMIT_MS = 60_000;

type Environment = KubeObject & {
  readonly spec: unknown;
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
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

/** Creates an object and waits, on a watch, until it is done; milliseconds. */
async function timed<T extends KubeObject>(
  resource: Resource,
  object: T,
  done: (now: Stored<T>) => boolean,
): Promise<number> {
  const { resourceVersion } = await client.list<T>(resource, { namespace: NAMESPACE, limit: 1 });
  const abort = new AbortController();
  const limit = setTimeout(
    () => abort.abort(new Error(`${object.metadata.name} took longer than ${LIMIT_MS} ms`)),
    LIMIT_MS,
  );
  const events = await client.watch<T>(resource, {
    namespace: NAMESPACE,
    resourceVersion,
    timeoutSeconds: 120,
    signal: abort.signal,
  });
  const began = performance.now();
  await client.create<T>(resource, object);
  for await (const event of events) {
    if (event.type === "BOOKMARK" || event.object.metadata.name !== object.metadata.name || !done(event.object))
      continue;
    clearTimeout(limit);
    abort.abort();
    return performance.now() - began;
  }
  throw new Error(`the watch ended before ${object.metadata.name} was done`);
}

function environment(round: number): Environment {
  return {
    metadata: { name: `small-${round}`, namespace: NAMESPACE },
    spec: {
      engine: { name: engine },
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
for (let round = 0; round < Number(values.rounds); round += 1) {
  bare.push(await timed<Pod>(PODS, barePod(round), hasEnded));
  whole.push(await timed<Environment>(ENVIRONMENTS, environment(round), isReady));
  process.stdout.write(
    `round ${round}: bare pod ${Math.round(bare.at(-1) ?? 0)} ms, Environment ${Math.round(whole.at(-1) ?? 0)} ms\n`,
  );
}
await cleanUp(client);
const ratio = median(whole) / median(bare);
process.stdout.write(
  `median of ${values.rounds}: bare pod ${Math.round(median(bare))} ms, Environment ${Math.round(median(whole))} ms, ratio ${ratio.toFixed(2)}\n`,
);
await connection.close();

/** Environments first: their namespace may not be deleted before they are gone. */
async function cleanUp({ delete: remove, listAll }: Client): Promise<void> {
  const { items } = await listAll<Environment>(ENVIRONMENTS, { namespace: NAMESPACE });
  for (const { metadata } of items) await remove(ENVIRONMENTS, NAMESPACE, metadata.name);
  while ((await listAll<Environment>(ENVIRONMENTS, { namespace: NAMESPACE })).items.length > 0)
    await systemClock.sleep(500);
  await remove(NAMESPACES, undefined, NAMESPACE);
}
