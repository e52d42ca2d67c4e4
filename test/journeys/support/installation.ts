/** The one cluster of all journeys, with this checkout's Terrarium in it: made once, however many processes ask. */
import { KubeConfig } from "@kubernetes/client-node";
import { createClient } from "../../../operator/cluster/client.ts";
import { connect } from "../../../operator/cluster/connection.ts";
import type { Secret, Service } from "../../../operator/cluster/kinds.ts";
import type { Client } from "../../../operator/cluster/ports.ts";
import { SECRETS, SERVICES } from "../../../operator/cluster/resources.ts";
import { createTransport } from "../../../operator/cluster/transport.ts";
import { systemClock } from "../../../operator/loop/clock.ts";
import { type ClusterPaths, clusterPaths } from "../../../tools/cluster/paths.ts";
import { findCluster } from "../../../tools/cluster/slots.ts";
import type { Kubectl } from "../../../tools/demo/kubectl.ts";
import { operatorNamespace } from "../../../tools/demo/operator.ts";
import { gitNamespace } from "../../../tools/demo/shop.ts";
import type { Credentials } from "../../../tools/gitserver/repositories.ts";
import { installJourneys } from "../../../tools/test/stage.ts";

export interface Installation {
  readonly client: Client;
  readonly kubectl: Kubectl;
  readonly paths: ClusterPaths;
  /** Address of this machine, as pods reach it. */
  readonly hostAddress: string;
  readonly git: { readonly address: string; readonly admin: Credentials };
}

export { gitNamespace, operatorNamespace };

/** A first time builds programs and images; with caches it takes seconds. */
export const installationTimeoutMs = 45 * 60_000;

const clusterName = process.env.TERRARIUM_TEST_CLUSTER ?? "test";
/** Journeys that are being written need not wait for images of every change elsewhere. */
const asItIs = process.env.TERRARIUM_TEST_INSTALL === "keep";

let shared: Promise<Installation> | undefined;

export function installation(): Promise<Installation> {
  shared ??= install();
  return shared;
}

async function install(): Promise<Installation> {
  const progress = (text: string) => console.error(`  ${text}`);
  const kubectl = await installJourneys(clusterName, asItIs ? "asItIs" : "current", progress);
  const paths = clusterPaths(clusterName);
  const client = await clientFor(paths.kubeconfig);
  const cluster = await findCluster(clusterName);
  if (cluster === undefined) throw new Error(`the cluster ${clusterName} is gone`);
  return { client, kubectl, paths, hostAddress: cluster.addresses.hostAddress, git: await gitServer(client) };
}

async function clientFor(kubeconfig: string): Promise<Client> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const connection = await connect(config);
  return createClient(createTransport({ connection, clock: systemClock }), {});
}

async function gitServer(client: Client): Promise<Installation["git"]> {
  const service = await client.get<Service>(SERVICES, gitNamespace, "git");
  const secret = await client.get<Secret>(SECRETS, gitNamespace, "git-admin");
  const login = Buffer.from(secret.data?.login ?? "", "base64").toString();
  const [username = "", password = ""] = login.split(":");
  return { address: `http://${service.spec?.clusterIP}`, admin: { username, password } };
}
