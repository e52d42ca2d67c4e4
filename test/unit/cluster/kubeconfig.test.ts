import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { stringify } from "yaml";
import { ClusterNotChosen, chooseCluster } from "../../../operator/cluster/kubeconfig.ts";

describe("the choice of a cluster", () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "terrarium-kubeconfig-"));
  });
  after(() => rm(dir, { recursive: true }));

  async function kubeconfig(name: string, fields: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const file = join(dir, name);
    const config = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "near",
      clusters: [{ name: "c", cluster: { server: "https://near.example.com", "insecure-skip-tls-verify": true } }],
      users: [{ name: "u", user: { token: "t0ken" } }],
      contexts: [
        { name: "near", context: { cluster: "c", user: "u", namespace: "team" } },
        { name: "plain", context: { cluster: "c", user: "u" } },
      ],
      ...fields,
    };
    await writeFile(file, stringify(config));
    return file;
  }

  it("takes the current context, and its namespace", async () => {
    const { context, server, namespace } = chooseCluster({ file: await kubeconfig("a") });
    assert.deepEqual([context, server, namespace], ["near", "https://near.example.com", "team"]);
  });

  it("takes another context when asked, and the namespace default where it names none", async () => {
    const { context, namespace } = chooseCluster({ file: await kubeconfig("b"), context: "plain" });
    assert.deepEqual([context, namespace], ["plain", "default"]);
  });

  it("names the contexts that there are when one is not", async () => {
    const file = await kubeconfig("c");
    assert.throws(
      () => chooseCluster({ file, context: "far" }),
      new ClusterNotChosen(
        'The kubeconfig has no context "far" that names one of its clusters. It has: near, plain. Choose with --context',
      ),
    );
  });

  it("says why a file cannot be read", () => {
    assert.throws(
      () => chooseCluster({ file: join(dir, "missing") }),
      /^ClusterNotChosen: The kubeconfig cannot be read: ENOENT/,
    );
  });

  describe("from several files of $KUBECONFIG", () => {
    const choose = (...files: readonly string[]) => chooseCluster({ list: files.join(delimiter) });
    const far = {
      "current-context": "far",
      clusters: [
        { name: "c", cluster: { server: "https://another.example.com" } },
        { name: "f", cluster: { server: "https://far.example.com" } },
      ],
      contexts: [{ name: "far", context: { cluster: "f", user: "u" } }],
    };

    it("takes what is said first, as kubectl does: the context, and what bears a name", async () => {
      const files = [await kubeconfig("near"), await kubeconfig("far", far)] as const;
      const { context, server } = choose(...files);
      assert.deepEqual([context, server], ["near", "https://near.example.com"]);
      const other = choose(...files.toReversed());
      assert.deepEqual([other.context, other.server], ["far", "https://far.example.com"]);
    });

    it("takes the current context of a later file where the first has none", async () => {
      const silent = await kubeconfig("silent", { "current-context": "" });
      assert.equal(choose(silent, await kubeconfig("far", far)).context, "far");
    });

    it("minds no file that is missing or empty", async () => {
      const empty = join(dir, "empty");
      await writeFile(empty, "\n");
      assert.equal(choose(join(dir, "missing"), empty, await kubeconfig("near")).context, "near");
      assert.throws(() => choose(join(dir, "missing")), /^ClusterNotChosen: There is no kubeconfig with a context/);
    });
  });

  it("logs in with a program that hands out tokens, as clouds do", async () => {
    const login = join(dir, "login");
    const credential = {
      apiVersion: "client.authentication.k8s.io/v1",
      kind: "ExecCredential",
      status: { token: "fresh" },
    };
    await writeFile(login, `#!/bin/sh\necho '${JSON.stringify(credential)}'\n`);
    await chmod(login, 0o755);
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: login, interactiveMode: "Never" };
    const connection = await chooseCluster({
      file: await kubeconfig("d", { users: [{ name: "u", user: { exec } }] }),
    }).connect();
    assert.deepEqual(await connection.headers(false), { authorization: "Bearer fresh" });
    await connection.close();
  });
});
