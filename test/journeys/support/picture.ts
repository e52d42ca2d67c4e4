/** What a person would look at when something does not come true: in an error short, in a folder all of it. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Environment } from "../../../operator/api/environment.ts";
import type { Run } from "../../../operator/api/run.ts";
import type { Pod } from "../../../operator/cluster/kinds.ts";
import type { Client } from "../../../operator/cluster/ports.ts";
import { ENVIRONMENTS, PODS, RUNS } from "../../../operator/cluster/resources.ts";
import { checkout } from "../../../tools/bundle.ts";
import type { Installation } from "./installation.ts";
import { operatorNamespace } from "./installation.ts";

export const artifacts = join(checkout, "test-artifacts");

/** Environments with their components, the Runs and the pods of a namespace, a line each. */
export async function describePlace(client: Client, namespace: string): Promise<string> {
  const [environments, runs, pods] = await Promise.all([
    client.listAll<Environment>(ENVIRONMENTS, { namespace }),
    client.listAll<Run>(RUNS, { namespace }),
    client.listAll<Pod>(PODS, { namespace }),
  ]);
  const lines = [
    ...environments.items.flatMap(environmentLines),
    ...runs.items.toSorted((a, b) => a.spec.number - b.spec.number).map(runLine),
    ...pods.items.map(podLine),
  ];
  return lines.map((line) => `    ${line}`).join("\n");
}

function environmentLines({ metadata, status }: Environment): string[] {
  const { generation, deletionTimestamp, name } = metadata;
  const leaving = deletionTimestamp === undefined ? "" : ", being deleted";
  const conditions = (status?.conditions ?? []).map(({ type, status: is, reason }) => `${type}=${is}/${reason}`);
  return [
    `Environment ${name} (generation ${generation}, seen ${status?.observedGeneration}${leaving}): ${conditions.join(" ")}`,
    ...(status?.components ?? []).map((line) => `  ${line.name}: ${line.state}/${line.reason} ${line.message ?? ""}`),
  ];
}

function runLine({ metadata, spec, status }: Run): string {
  const { outcome, phase, message } = status ?? {};
  const end = outcome === undefined ? (message ?? "") : `${outcome.result}/${outcome.reason}: ${outcome.message}`;
  const leaving = metadata.deletionTimestamp === undefined ? "" : " (being deleted)";
  return `Run ${spec.component} ${spec.number} ${spec.operation} (${spec.cause.type}, attempt ${spec.attempt})${leaving}: ${phase ?? "-"} ${end}`;
}

function podLine({ metadata, status }: Pod): string {
  const containers = (status?.containerStatuses ?? []).map(({ name, state }) => {
    const { running, terminated, waiting } = state ?? {};
    if (running !== undefined) return `${name} runs`;
    return `${name} ${terminated?.reason ?? waiting?.reason ?? "?"} ${terminated?.exitCode ?? ""}`;
  });
  return `Pod ${metadata.name}: ${status?.phase} ${containers.join(", ")}`;
}

/** Everything that explains a failure, as files; gives their folder. */
export async function keepPicture(installation: Installation, namespace: string, title: string): Promise<string> {
  const folder = join(artifacts, `${title.replace(/[^a-zA-Z0-9]+/g, "-").slice(0, 140)}`);
  await mkdir(folder, { recursive: true });
  const { client, kubectl } = installation;
  const keep = async (name: string, text: Promise<string>) =>
    writeFile(join(folder, name), await text.catch((error: Error) => `not to be had: ${error.message}`));
  const [environments, runs, pods] = await Promise.all([
    client.listAll<Environment>(ENVIRONMENTS, { namespace }),
    client.listAll<Run>(RUNS, { namespace }),
    client.listAll<Pod>(PODS, { namespace }),
  ]);
  await keep("picture.txt", describePlace(client, namespace));
  await keep("environments.yaml", Promise.resolve(stringify(environments.items)));
  await keep("runs.yaml", Promise.resolve(stringify(runs.items)));
  await keep("pods.yaml", Promise.resolve(stringify(pods.items)));
  await keep("events.txt", kubectl.run(["get", "events", "-n", namespace, "--sort-by=.lastTimestamp"]));
  for (const { metadata } of pods.items) {
    await keep(
      `${metadata.name}.log`,
      kubectl.run(["logs", "-n", namespace, metadata.name, "--all-containers", "--prefix"]),
    );
  }
  for (const component of ["operator", "resolver"]) {
    const selector = `app.kubernetes.io/component=${component}`;
    await keep(
      `${component}.log`,
      kubectl.run(["logs", "-n", operatorNamespace, "-l", selector, "--tail=400", "--prefix"]),
    );
  }
  return folder;
}
