import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse, stringify } from "yaml";
import type { Environment } from "../../operator/api/environment.ts";
import { ensureBinaries } from "../../tools/cluster/binaries.ts";
import { engineServer, installEnvironments, makeNamespace } from "./engine-server.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples");
const NAMESPACE = "shop-previews";

interface Rendering {
  readonly nameSuffix: string;
  readonly patches: readonly object[];
}

interface ApplicationSource {
  readonly path: string;
  readonly kustomize: Rendering;
}

describe("The examples", function () {
  this.timeout(60_000);
  let folder: string;
  let kubectl: (...args: readonly string[]) => Promise<string>;

  before(async () => {
    const { client, kubeconfigPath } = await engineServer();
    const program = (await ensureBinaries(["kubernetes"], () => undefined)).get("kubectl") ?? "";
    kubectl = async (...args) => (await promisify(execFile)(program, ["--kubeconfig", kubeconfigPath, ...args])).stdout;
    folder = await mkdtemp(join(tmpdir(), "terrarium-examples-"));
    await installEnvironments(client);
    for (const name of [NAMESPACE, "team-shop"]) await makeNamespace(client, name);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const tried = async (path: string, ...args: readonly string[]) =>
    JSON.parse(
      await kubectl("create", "--dry-run=server", "--validate=strict", "-o", "json", "-f", path, ...args),
    ) as Environment;

  for (const path of ["hello/environment.yaml", "shop/environment.yaml"])
    it(`${path} is accepted`, async () => {
      assert.equal((await tried(join(EXAMPLES, path))).kind, "Environment");
    });

  it("argocd/applicationset.yaml makes an Environment of its own, of exactly that commit, with an end, for each pull request", async () => {
    const commit = "0123456789abcdef0123456789abcdef01234567";
    const text = (await readFile(join(EXAMPLES, "argocd/applicationset.yaml"), "utf8"))
      .replaceAll("{{.number}}", "42")
      .replaceAll("{{.head_sha}}", commit);
    assert.doesNotMatch(text, /\{\{/, "every parameter is one that the generator gives");
    const { template } = (parse(text) as { spec: { template: { spec: { source: ApplicationSource } } } }).spec;
    const { path, kustomize } = template.spec.source;
    await cp(join(EXAMPLES, "..", path), join(folder, "base"), { recursive: true });
    await writeFile(join(folder, "kustomization.yaml"), stringify({ resources: ["base"], ...kustomize }));
    await writeFile(join(folder, "rendered.yaml"), await kubectl("kustomize", folder));
    const { metadata, spec } = await tried(join(folder, "rendered.yaml"), "--namespace", NAMESPACE);
    assert.equal(metadata.name, "shop-pr-42");
    assert.deepEqual(spec.source?.git?.ref, { commit });
    assert.deepEqual(spec.variables?.[0], { name: "stage", value: "pr-42" });
    assert.ok(spec.lifetime?.ttl, "whoever forgets the pull request does not pay for ever");
  });

  it("argocd/application.yaml deletes what it holds, and leaves the buttons' field alone", async () => {
    const { metadata, spec } = parse(await readFile(join(EXAMPLES, "argocd/application.yaml"), "utf8"));
    assert.deepEqual(metadata.finalizers, ["resources-finalizer.argocd.argoproj.io/background"]);
    assert.deepEqual(spec.ignoreDifferences[0].jsonPointers, ["/spec/suspend"]);
    assert.ok(spec.syncPolicy.syncOptions.includes("RespectIgnoreDifferences=true"));
  });
});
