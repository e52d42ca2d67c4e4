import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cluster, KubeConfig, type User } from "@kubernetes/client-node";
import { createClient } from "../../../operator/cluster/client.ts";
import { type Connection, connect } from "../../../operator/cluster/connection.ts";
import { PODS } from "../../../operator/cluster/resources.ts";
import { createTransport } from "../../../operator/cluster/transport.ts";
import { systemClock } from "../../../operator/loop/clock.ts";
import { type FakeApi, fakeApi } from "./fake-api.ts";

function aKubeConfig(cluster: Partial<Cluster>, user: Partial<User>): KubeConfig {
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: "c", server: "https://localhost", skipTLSVerify: true, ...cluster },
    { name: "u", ...user },
  );
  return config;
}

/** As client-node writes down the service account of a pod. */
const projected = (tokenFile: string) => ({ authProvider: { name: "tokenFile", config: { tokenFile } } });

describe("the connection to the API server", () => {
  let connection: Connection | undefined;
  let api: FakeApi | undefined;
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "terrarium-connection-"));
  });
  afterEach(async () => {
    await connection?.close();
    await api?.close();
    await rm(folder, { recursive: true });
  });

  it("goes to the kubeconfig's server, with its path", async () => {
    connection = await connect(aKubeConfig({ server: "https://rancher.example:8443/k8s/clusters/c-1/" }, {}));
    assert.deepEqual([connection.origin, connection.pathPrefix], ["https://rancher.example:8443", "/k8s/clusters/c-1"]);
  });

  it("carries a static token", async () => {
    connection = await connect(aKubeConfig({}, { token: "t0ken" }));
    assert.deepEqual(await connection.headers(false), { authorization: "Bearer t0ken" });
  });

  it("reads a projected token again as soon as the old one is refused", async () => {
    const tokenFile = join(folder, "token");
    await writeFile(tokenFile, "old\n");
    api = await fakeApi((exchange) =>
      exchange.headers.authorization === "Bearer new" ? exchange.reply(200, {}) : exchange.refuse(401, "Unauthorized"),
    );
    connection = await connect(aKubeConfig({ server: api.connection.origin }, projected(tokenFile)));
    assert.deepEqual(await connection.headers(false), { authorization: "Bearer old" });
    await writeFile(tokenFile, "new\n");
    await createClient(createTransport({ connection, clock: systemClock })).get(PODS, "shop", "x");
    assert.deepEqual(
      api.exchanges.map(({ headers }) => headers.authorization),
      ["Bearer old", "Bearer new"],
    );
  });

  it("a token file that is missing for a moment is tried again", async () => {
    const tokenFile = join(folder, "token");
    await writeFile(tokenFile, "first");
    connection = await connect(aKubeConfig({}, projected(tokenFile)));
    await rm(tokenFile);
    await assert.rejects(connection.headers(false), /ENOENT/);
    await writeFile(tokenFile, "there");
    assert.deepEqual(await connection.headers(false), { authorization: "Bearer there" });
  });

  it("says what to do when the kubeconfig names no cluster, or a proxy it cannot use", async () => {
    await assert.rejects(connect(new KubeConfig()), /set current-context/);
    await assert.rejects(connect(aKubeConfig({ proxyUrl: "socks5://localhost:1" }, {})), /only http and https proxies/);
  });
});
