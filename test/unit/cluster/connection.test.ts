import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { type Cluster, KubeConfig, type User } from "@kubernetes/client-node";
import { request } from "undici";
import { createClient } from "../../../operator/cluster/client.ts";
import { type Connection, connect } from "../../../operator/cluster/connection.ts";
import { PODS } from "../../../operator/cluster/resources.ts";
import { createTransport } from "../../../operator/cluster/transport.ts";
import { makeCertificate } from "../../../operator/gateway/x509.ts";
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

/** Signed by itself, in the name of ann. */
function aCertificate(): { readonly key: string; readonly certificate: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = makeCertificate({
    subject: "ann",
    publicKey,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    issuer: { name: "ann", key: privateKey },
    use: { type: "server", hosts: ["localhost"] },
  });
  return { key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(), certificate };
}

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

  describe("through the proxy of the environment", () => {
    const VARIABLES = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"];
    const before = VARIABLES.map((name) => [name, process.env[name]] as const);
    beforeEach(() => {
      for (const name of VARIABLES) delete process.env[name];
    });
    afterEach(() => {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    });

    /** What a proxy was asked to lead to, by a connection for which it is set. */
    async function askedOf(server: string, options: Parameters<typeof connect>[1]): Promise<readonly string[]> {
      const asked: string[] = [];
      const proxy = createServer().on("connect", ({ url = "" }, socket) => {
        asked.push(url);
        socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
      });
      await once(proxy.listen(0, "127.0.0.1"), "listening");
      process.env.HTTPS_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      connection = await connect(aKubeConfig({ server }, {}), options);
      await assert.rejects(request(`${server}/version`, { dispatcher: connection.dispatcher }));
      proxy.close();
      return asked;
    }

    it("goes where it is to mind it, as kubectl does", async () => {
      const asked = await askedOf("https://api.example.invalid:6443", { mindsProxies: true });
      assert.deepEqual(asked, ["api.example.invalid:6443"]);
    });

    it("does not go where it is not, as in a pod, nor to this machine, nor where $NO_PROXY says so", async () => {
      assert.deepEqual(await askedOf("https://api.example.invalid:6443", {}), []);
      assert.deepEqual(await askedOf("https://127.0.0.1:1", { mindsProxies: true }), []);
      process.env.NO_PROXY = ".example.invalid";
      assert.deepEqual(await askedOf("https://api.example.invalid:6443", { mindsProxies: true }), []);
    });
  });

  it("shows the certificate that a program of the kubeconfig hands out", async () => {
    const { key, certificate } = aCertificate();
    const login = join(folder, "login");
    const status = { clientCertificateData: certificate, clientKeyData: key };
    const credential = { apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status };
    await writeFile(login, `#!/bin/sh\ncat <<'END'\n${JSON.stringify(credential)}\nEND\n`);
    await chmod(login, 0o755);
    const server = createTlsServer({ key, cert: certificate, requestCert: true, rejectUnauthorized: false });
    await once(server.listen(0, "127.0.0.1"), "listening");
    server.on("request", ({ socket }, response) =>
      response.end((socket as TLSSocket).getPeerCertificate().subject?.CN ?? "nobody"),
    );
    const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const exec = { apiVersion: credential.apiVersion, command: login, interactiveMode: "Never" };
    connection = await connect(aKubeConfig({ server: origin }, { exec }));
    const { body } = await request(origin, { dispatcher: connection.dispatcher });
    assert.equal(await body.text(), "ann");
    server.closeAllConnections();
    server.close();
  });

  it("says what to do when the kubeconfig names no cluster, or a proxy it cannot use", async () => {
    await assert.rejects(connect(new KubeConfig()), /set current-context/);
    await assert.rejects(connect(aKubeConfig({ proxyUrl: "socks5://localhost:1" }, {})), /only http and https proxies/);
  });
});
