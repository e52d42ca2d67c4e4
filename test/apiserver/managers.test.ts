import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Environment } from "../../operator/api/environment.ts";
import type { Client, KubeObject, Stored } from "../../operator/cluster/ports.ts";
import { ENVIRONMENTS } from "../../operator/cluster/resources.ts";
import { createStatusWriter } from "../../operator/cluster/status.ts";
import { inputsOf } from "../../operator/environment/desired.ts";
import { inputsDigestOf } from "../../operator/environment/digest.ts";
import { ensureBinaries } from "../../tools/cluster/binaries.ts";
import { customizationOf } from "../fakes/argo-lua.ts";
import { engineServer, installEnvironments, makeNamespace } from "./engine-server.ts";

const NAMESPACE = "team-managers";
type Served = Stored<Environment & KubeObject>;

/** With a list of every kind, and with defaults left out as people leave them out. */
const manifest = (name: string, more: object = {}) => ({
  apiVersion: "terrarium.dev/v1alpha1",
  kind: "Environment",
  metadata: { name, namespace: NAMESPACE },
  spec: {
    source: { git: { url: "https://git.example.com/shop/infra.git", ref: { branch: "main" }, watch: ["modules"] } },
    variables: [{ name: "region", value: "eu-west-1" }],
    credentials: [{ name: "cloud", secretRef: { name: "cloud" }, as: "Env" }],
    components: [
      { name: "network", terraform: { path: "live/network" } },
      {
        name: "app",
        dependsOn: ["network"],
        terraform: {
          path: "live/app",
          variables: [
            { name: "subnets", valueFrom: { output: { component: "network", name: "subnets" } } },
            { name: "settings", value: { zones: ["a", "b"], size: 3, flag: true } },
          ],
        },
      },
    ],
    outputs: [{ name: "url", valueFrom: { output: { component: "app", name: "url" } } }],
    ...more,
  },
});

/** As each of them applies: Argo CD and Flux on the server's side, a person on either. */
const MANAGERS = {
  "Argo CD": ["--server-side", "--field-manager=argocd-controller", "--force-conflicts"],
  Flux: ["--server-side", "--field-manager=kustomize-controller", "--force-conflicts"],
  "a person on the server's side": ["--server-side"],
  "a person on the client's side": [],
} as const;
const names = Object.keys(MANAGERS) as readonly (keyof typeof MANAGERS)[];

describe("Managers of one manifest", function () {
  this.timeout(120_000);
  let client: Client;
  let kubeconfig: string;
  let kubectlPath: string;
  let folder: string;

  before(async () => {
    const server = await engineServer();
    client = server.client;
    kubeconfig = server.kubeconfigPath;
    kubectlPath = (await ensureBinaries(["kubernetes"], () => undefined)).get("kubectl") ?? "";
    folder = await mkdtemp(join(tmpdir(), "terrarium-managers-"));
    await installEnvironments(client);
    await makeNamespace(client, NAMESPACE);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  // kubectl's own note of what was applied last (one line that holds "kind") is no difference of the object.
  const env = { PATH: process.env.PATH, KUBECTL_EXTERNAL_DIFF: "diff -u -N -I kind" };
  const kubectl = (...args: readonly string[]) => {
    const place = ["--kubeconfig", kubeconfig, "--cache-dir", join(folder, "cache")];
    const { promise, resolve } = Promise.withResolvers<{ readonly code: number; readonly text: string }>();
    const child = execFile(kubectlPath, [...place, ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), text: stdout + stderr }),
    );
    child.stdin?.end();
    return promise;
  };
  const file = async (object: { readonly metadata: { readonly name: string } }) => {
    const path = join(folder, `${object.metadata.name}.yaml`);
    await writeFile(path, stringify(object));
    return path;
  };
  const apply = async (who: keyof typeof MANAGERS, path: string) => {
    const { code, text } = await kubectl("apply", ...MANAGERS[who], "-f", path);
    assert.equal(code, 0, `${who}: ${text}`);
  };
  const found = (name: string) => client.get<Served>(ENVIRONMENTS, NAMESPACE, name);
  /** What the operator would make Runs for. */
  const digests = (environment: Environment) =>
    environment.spec.components.map((component) =>
      inputsDigestOf({ name: "opentofu", version: "1.12" }, inputsOf(environment, component, undefined), {}),
    );
  const status = (environment: Served, ready: "True" | "False") => ({
    observedGeneration: environment.metadata.generation ?? 0,
    conditions: [
      {
        type: "Ready",
        status: ready,
        reason: ready === "True" ? "Applied" : "Progressing",
        message: "as the test says",
        observedGeneration: environment.metadata.generation,
        lastTransitionTime: "2026-01-01T00:00:00Z",
      },
    ],
    components: [{ name: "network", state: ready === "True" ? ("Ready" as const) : ("Applying" as const) }],
  });
  const writeStatus = async (name: string, ready: "True" | "False") => {
    const now = await found(name);
    await createStatusWriter(client).write<Served>(ENVIRONMENTS, now, status(now, ready));
  };

  for (const [index, first] of names.entries()) {
    it(`after ${first}, the others find nothing to change, and no Run is due`, async () => {
      const name = `first-${index}`;
      const path = await file(manifest(name));
      await apply(first, path);
      await writeStatus(name, "True");
      const before = await found(name);
      for (const who of [...names, first]) {
        const diff = await kubectl("diff", ...MANAGERS[who], "-f", path);
        assert.deepEqual([diff.code, diff.text], [0, ""], `${who} would change something`);
        await apply(who, path);
        const after = await found(name);
        assert.equal(after.metadata.generation, before.metadata.generation, who);
        assert.deepEqual(after.spec, before.spec, who);
        assert.deepEqual(after.status, before.status, who);
        assert.deepEqual(digests(after), digests(before), who);
      }
    });
  }

  it("the same manager writes nothing at all the second time", async () => {
    const path = await file(manifest("twice"));
    await apply("Argo CD", path);
    // Before the operator's first word, the default of the status is served and not stored yet.
    await writeStatus("twice", "True");
    const { metadata } = await found("twice");
    await apply("Argo CD", path);
    assert.equal((await found("twice")).metadata.resourceVersion, metadata.resourceVersion);
  });

  it("lists are merged by name: each may own components of its own, and order is no change", async () => {
    const whole = manifest("shared");
    await apply("Argo CD", await file(whole));
    const before = await found("shared");
    const turned = { ...whole, spec: { ...whole.spec, components: whole.spec.components.toReversed() } };
    await apply("Flux", await file(turned));
    const after = await found("shared");
    assert.deepEqual(
      after.spec.components.map(({ name }) => name).toSorted(),
      before.spec.components.map(({ name }) => name).toSorted(),
    );
    assert.deepEqual(new Set(digests(after)), new Set(digests(before)));
  });

  it("what is applied again leaves alone what only a button has set", async () => {
    const path = await file(manifest("pressed"));
    await apply("Argo CD", path);
    const { action } = customizationOf("Environment");
    for (const name of ["suspend", "run"]) {
      const [impacted] = await action(name, await found("pressed"));
      assert.ok(impacted);
      const { spec, metadata } = impacted.resource as Environment;
      const patch = { metadata: { annotations: metadata.annotations ?? {} }, spec: { suspend: spec.suspend } };
      await client.mergePatch(ENVIRONMENTS, NAMESPACE, "pressed", patch);
    }
    const pressed = await found("pressed");
    for (const who of ["Argo CD", "Flux"] as const) await apply(who, path);
    const after = await found("pressed");
    assert.equal(after.spec.suspend, true);
    assert.equal(after.metadata.generation, pressed.metadata.generation);
    assert.ok(after.metadata.annotations?.["terrarium.dev/requestedAt"]);
  });

  describe("kubectl wait", () => {
    const wait = (what: string, name: string, timeout: string) =>
      kubectl("-n", NAMESPACE, "wait", `environment/${name}`, `--for=${what}`, `--timeout=${timeout}`);

    it("is not satisfied by what was true of the spec before", async () => {
      await apply("Flux", await file(manifest("waits")));
      assert.notEqual((await wait("condition=Ready", "waits", "1s")).code, 0, "nobody has looked at it yet");
      await writeStatus("waits", "True");
      assert.equal((await wait("condition=Ready", "waits", "10s")).code, 0);
      await apply("Flux", await file(manifest("waits", { suspend: true })));
      assert.notEqual((await wait("condition=Ready", "waits", "1s")).code, 0, "that was Ready of another generation");
      const waiting = wait("condition=Ready", "waits", "30s");
      await writeStatus("waits", "True");
      assert.equal((await waiting).code, 0);
    });

    it("takes a component's state by its path, and the end of the object", async () => {
      await apply("Flux", await file(manifest("goes")));
      const path = "jsonpath={.status.components[?(@.name=='network')].state}=Ready";
      await writeStatus("goes", "False");
      assert.notEqual((await wait(path, "goes", "1s")).code, 0);
      const ready = wait(path, "goes", "30s");
      await writeStatus("goes", "True");
      assert.equal((await ready).code, 0);
      const gone = wait("delete", "goes", "30s");
      await client.delete(ENVIRONMENTS, NAMESPACE, "goes");
      assert.equal((await gone).code, 0);
    });
  });
});
