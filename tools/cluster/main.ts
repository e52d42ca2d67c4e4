import { parseArgs } from "node:util";
import { clusterDown } from "./cluster-down.ts";
import { adminKubeconfig } from "./cluster-files.ts";
import { clusterStatus } from "./cluster-status.ts";
import { clusterUp } from "./cluster-up.ts";
import { loadImage } from "./images.ts";
import { DEFAULT_CLUSTER } from "./paths.ts";
import { clusterNames, findCluster } from "./slots.ts";
import { describeStatus } from "./status-text.ts";

const HELP = `A real Kubernetes cluster of one node on this machine, without Docker.

Usage: npm run cluster -- COMMAND [--name NAME]

  up             build what is missing, start the cluster, wait until pods can run
  down           end it and remove everything but the built programs
  status         components, node, versions and paths; exit code 1 unless healthy (--json for programs)
  load IMAGE     give the cluster an image: an OCI archive, or the name of an image in buildah's store
  kubeconfig     print the administrator's kubeconfig

  --name NAME    another cluster beside the first (default: ${DEFAULT_CLUSTER})
  --help         this text

See docs/local-cluster.md.
`;

const USAGE_ERROR = 2;

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      name: { type: "string", default: DEFAULT_CLUSTER },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const [verb, image, ...rest] = positionals;
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const surplus = verb === "load" ? rest : positionals.slice(1);
  if (surplus.length > 0) return misuse(`unexpected: ${surplus.join(" ")}`);
  switch (verb) {
    case "up":
      return up(values.name);
    case "down":
      return down(values.name);
    case "status":
      return status(values.name, values.json);
    case "load":
      return image === undefined ? misuse("load needs an image") : load(image, values.name);
    case "kubeconfig":
      return kubeconfig(values.name);
    default:
      return misuse(verb === undefined ? "a command is missing" : `no such command: ${verb}`);
  }
}

async function up(name: string): Promise<number> {
  const started = Date.now();
  const paths = await clusterUp({ name });
  console.log(`The cluster ${name} is up (${((Date.now() - started) / 1000).toFixed(1)} s).`);
  console.log(`export KUBECONFIG=${paths.kubeconfig} PATH=${paths.binDir}:$PATH`);
  return 0;
}

async function down(name: string): Promise<number> {
  console.log((await clusterDown({ name })) ? `The cluster ${name} is gone.` : await noCluster(name));
  return 0;
}

async function noCluster(name: string): Promise<string> {
  const others = await clusterNames();
  return `There is no cluster ${name}.${others.length === 0 ? "" : ` There are: ${others.join(", ")}.`}`;
}

async function status(name: string, json: boolean): Promise<number> {
  const found = await clusterStatus(name);
  console.log(json ? JSON.stringify(found, null, 2) : describeStatus(found));
  return found.healthy ? 0 : 1;
}

async function load(image: string, name: string): Promise<number> {
  for (const loaded of await loadImage(image, name)) console.log(`${loaded.name} ${loaded.digestReference}`);
  return 0;
}

async function kubeconfig(name: string): Promise<number> {
  const cluster = await findCluster(name);
  if (cluster === undefined)
    throw new Error(`${await noCluster(name)} Make it with: npm run cluster -- up --name ${name}`);
  process.stdout.write(await adminKubeconfig(cluster));
  return 0;
}

function misuse(message: string): number {
  console.error(`${message}\n\n${HELP}`);
  return USAGE_ERROR;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
