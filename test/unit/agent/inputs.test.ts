import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { WorkOrder } from "../../../operator/gateway/protocol.ts";
import { Ended } from "../../../runner/agent/ending.ts";
import { originsIn, presentSecrets } from "../../../runner/agent/engine-secrets.ts";
import { inputsDigest, resolveInputs } from "../../../runner/agent/inputs.ts";
import { podLayout } from "../../../runner/agent/layout.ts";
import { MountedObjects } from "../../../runner/agent/mounted.ts";
import { moduleFolder } from "../../../runner/agent/source.ts";
import { readOwn } from "../../../runner/agent/tree.ts";
import { aWorkOrder } from "../../fakes/gateway.ts";

type Credential = WorkOrder["credentials"][number];
const credential = (change: Partial<Credential> & { name: string }): Credential => ({
  secretRef: { name: change.name },
  as: "Env",
  phases: ["Plan", "Apply", "Destroy"],
  keepForDestroy: false,
  ...change,
});

const aHeldPlan: NonNullable<WorkOrder["held"]> = {
  digest: `sha256:${"0".repeat(64)}`,
  inputsDigest: "",
  counts: { create: 1, update: 0, replace: 0, delete: 0 },
  empty: false,
  resources: [],
  truncated: false,
  drifted: 0,
};

describe("inputs of an attempt", () => {
  let root = "";
  const layout = () => ({
    ...podLayout,
    secretInputs: join(root, "secrets-in"),
    configMapInputs: join(root, "configmaps-in"),
    secrets: join(root, "secrets"),
    credentials: join(root, "credentials"),
    caBundle: join(root, "ca.crt"),
  });
  const mount = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const resolve = (order: Partial<WorkOrder>) =>
    resolveInputs(aWorkOrder(order), new MountedObjects(layout()), undefined);

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "inputs-"));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it("reads the kubelet's links, and leaves its own entries out", async () => {
    mount("secrets-in/shop/..2026/db", "value");
    symlinkSync("..2026", join(root, "secrets-in/shop/..data"));
    symlinkSync("..data/db", join(root, "secrets-in/shop/db"));
    const { values, secrets } = await resolve({
      variables: [{ name: "v", kind: "secret", secret: "shop", key: "db" }],
    });
    assert.equal(values.get("v"), "value");
    assert.deepEqual(secrets, ["value"]);
  });

  it("takes the strings inside a sensitive value for secrets", async () => {
    const value = { user: "somebody", keys: ["one-key", 12345] };
    const { secrets } = await resolve({ variables: [{ name: "v", kind: "value", value, sensitive: true }] });
    assert.deepEqual(secrets, ["somebody", "one-key", "12345"]);
  });

  it("refuses names of keys that no environment can hold, by name", async () => {
    mount("secrets-in/aws/AWS_KEY", "x");
    mount("secrets-in/aws/my-key", "y");
    await assert.rejects(resolve({ credentials: [credential({ name: "aws" })] }), (error: unknown) => {
      assert.ok(error instanceof Ended);
      assert.match(error.outcome.message, /key "my-key" of Secret aws/);
      return true;
    });
  });

  it("waits for credentials of a destroy under their own reason", async () => {
    await assert.rejects(
      resolve({ operation: "Destroy", credentials: [credential({ name: "aws" })] }),
      (error: unknown) => {
        assert.ok(error instanceof Ended);
        assert.deepEqual([error.outcome.result, error.outcome.reason], ["Waiting", "CredentialsMissing"]);
        return true;
      },
    );
  });

  it("does not ask for credentials of another operation", async () => {
    const { credentials } = await resolve({ credentials: [credential({ name: "aws", phases: ["Destroy"] })] });
    assert.deepEqual(credentials, []);
  });

  it("changes its digest with any value, and with nothing else", async () => {
    mount("secrets-in/aws/A", "1");
    const order = { credentials: [credential({ name: "aws" })] };
    const first = inputsDigest(await resolve(order), "a2V5");
    assert.equal(inputsDigest(await resolve(order), "a2V5"), first);
    assert.notEqual(inputsDigest(await resolve(order), "a2V6"), first);
    mount("secrets-in/aws/A", "2");
    assert.notEqual(inputsDigest(await resolve(order), "a2V5"), first);
  });

  it("needs no access to modules for a plan that waited, and a token for them that has changed voids none", async () => {
    const order = { credentials: [credential({ name: "git", as: "Git" })] };
    await assert.rejects(resolve(order), /Secret git is missing/);
    mount("secrets-in/git/token", "for an hour");
    const first = inputsDigest(await resolve(order), "a2V5");
    mount("secrets-in/git/token", "for another");
    assert.equal(inputsDigest(await resolve(order), "a2V5"), first);
    rmSync(join(root, "secrets-in/git"), { recursive: true });
    const held = { ...aHeldPlan, inputsDigest: first };
    assert.equal(inputsDigest(await resolve({ ...order, phase: "Apply", held }), "a2V5"), first);
    const aws = credential({ name: "aws" });
    await assert.rejects(resolve({ credentials: [aws], phase: "Apply", held }), /Secret aws is missing/);
  });

  it("gives the engine the credentials of one phase only, and no control over the engine", async () => {
    mount("secrets-in/plan/ONLY_PLAN", "p");
    mount("secrets-in/apply/ONLY_APPLY", "a");
    mount("secrets-in/apply/LD_PRELOAD", "evil.so");
    mount("secrets-in/files/key.json", "{}");
    const { credentials } = await resolve({
      credentials: [
        credential({ name: "plan", phases: ["Plan"] }),
        credential({ name: "apply", phases: ["Apply"] }),
        credential({ name: "files", as: "Files", phases: ["Plan"] }),
      ],
    });
    const planning = await presentSecrets(layout(), credentials, "Plan", []);
    assert.deepEqual(planning.env, { ONLY_PLAN: "p" });
    const file = join(root, "credentials/files/key.json");
    assert.ok(existsSync(file));
    const applying = await presentSecrets(layout(), credentials, "Apply", []);
    assert.deepEqual([applying.env, applying.dropped], [{ ONLY_APPLY: "a" }, ["LD_PRELOAD"]]);
    assert.ok(!existsSync(file));
  });

  it("sends credentials for private modules to the hosts that are named, as a header", async () => {
    mount("secrets-in/git/username", "me");
    mount("secrets-in/git/password", "pass");
    const { credentials, secrets } = await resolve({ credentials: [credential({ name: "git", as: "Git" })] });
    const { env } = await presentSecrets(layout(), credentials, "Plan", ["https://git.example.com"]);
    const config = readFileSync(env.GIT_CONFIG_GLOBAL ?? "", "utf8");
    assert.equal(
      config,
      `[http "https://git.example.com/"]\n\textraHeader = Authorization: Basic ${btoa("me:pass")}\n`,
    );
    assert.deepEqual(secrets, ["pass", "me:pass"]);
  });

  it("finds the hosts in addresses of modules", () => {
    const text = 'source = "git::https://user@git.example.com:8443/x.git?ref=v1" http://other.example/y';
    assert.deepEqual(originsIn(text), ["https://git.example.com:8443", "http://other.example"]);
  });

  for (const path of ["../outside", "/etc", "link", "missing", "empty"]) {
    it(`refuses the path ${path}`, async () => {
      mkdirSync(join(root, "source/empty"), { recursive: true });
      symlinkSync("/etc", join(root, "source/link"));
      await assert.rejects(moduleFolder(join(root, "source"), path, "opentofu"), (error: unknown) => {
        assert.ok(error instanceof Ended);
        assert.equal(error.outcome.reason, "PathMissing");
        return true;
      });
    });
  }

  it("reads nothing through a link that the engine has left", async () => {
    mount("out/work/real", "content");
    mount("elsewhere/real", "hidden");
    symlinkSync(join(root, "elsewhere/real"), join(root, "out/work/file"));
    symlinkSync(join(root, "elsewhere"), join(root, "out/folder"));
    const out = join(root, "out");
    assert.equal((await readOwn(out, join(out, "work/real"), 100))?.toString(), "content");
    assert.equal(await readOwn(out, join(out, "work/file"), 100), undefined);
    assert.equal(await readOwn(out, join(out, "folder/real"), 100), undefined);
    await assert.rejects(readOwn(out, join(out, "work/real"), 3), /larger/);
  });
});
