import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { EXIT } from "../../plugin/exit-codes.ts";
import { environment, run } from "./admission-objects.ts";
import {
  type Answer,
  type Api,
  bindPeople,
  chartApi,
  made,
  namespace,
  PEOPLE,
  type Person,
  until,
} from "./admission-server.ts";
import { type CallOptions, PluginPeople } from "./plugin-call.ts";

const NAMESPACE = "team-plugin";
const KINDS = `/apis/terrarium.dev/v1alpha1/namespaces/${NAMESPACE}`;

const approver: Person = { user: "grace", groups: ["system:authenticated"] };

const first = {
  observedGeneration: 1,
  summary: "0/1 ready",
  conditions: [
    {
      type: "Ready",
      status: "False",
      reason: "Progressing",
      message: "network: planning",
      lastTransitionTime: new Date().toISOString(),
    },
  ],
};

describe("kubectl terrarium against a real API server", function () {
  this.timeout(120_000);
  let api: Api;
  const people = new PluginPeople(NAMESPACE);

  before(async () => {
    api = await chartApi();
    await made(api.create("/api/v1/namespaces", namespace(NAMESPACE)));
    await bindPeople(api, NAMESPACE);
    for (const person of [PEOPLE.viewer, PEOPLE.editor, PEOPLE.namespaceAdmin]) {
      await until(
        () => api.get(`${KINDS}/environments`, person),
        ({ status }) => status === 200,
      );
    }
    await bindApprover();
    await anEnvironment("shop");
  });
  after(() => people.end());

  async function bindApprover(): Promise<void> {
    const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}/rolebindings`;
    const rbac = "rbac.authorization.k8s.io";
    await made(
      api.create(path, {
        apiVersion: `${rbac}/v1`,
        kind: "RoleBinding",
        metadata: { name: "approver" },
        roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "terrarium-approver" },
        subjects: [{ kind: "User", apiGroup: rbac, name: approver.user }],
      }),
    );
    await until(
      () => api.get(`${KINDS}/approvals`, approver),
      ({ status }) => status === 200,
    );
  }

  /** A plan of its only component waits. */
  async function held(name: string): Promise<string> {
    await anEnvironment(name);
    const digest = `sha256:${createHash("sha256").update(name).digest("hex")}`;
    const counts = { create: 0, update: 1, replace: 0, delete: 1 };
    const resources = [
      { address: "aws_instance.web", action: "update" },
      { address: "aws_s3_bucket.old", action: "delete" },
    ];
    const heldAt = new Date().toISOString();
    const plan = { digest, counts, resources, verdict: "Hold" };
    await status("runs", `${name}-network-1`, { phase: "AwaitingApproval", heldAt, plan });
    return digest;
  }

  /** As the operator would leave it. */
  async function anEnvironment(name: string): Promise<string> {
    const { body } = await made(api.create(`${KINDS}/environments`, environment(name), PEOPLE.editor));
    const { uid } = body.metadata as { uid: string };
    const made1 = run(`${name}-network-1`);
    const owner = { apiVersion: "terrarium.dev/v1alpha1", kind: "Environment", name, uid, controller: true };
    const labels = { "terrarium.dev/environment": name, "terrarium.dev/component": "network" };
    const spec = { ...made1.spec, environment: { name, uid, generation: 1 } };
    const metadata = { name: made1.metadata.name, labels, ownerReferences: [owner] };
    await made(api.create(`${KINDS}/runs`, { ...made1, metadata, spec }, PEOPLE.operator));
    const pods = [{ name: `${metadata.name}-p`, uid: "uid-of-the-pod", createdAt: new Date().toISOString() }];
    await status("runs", metadata.name, { phase: "Planning", pods });
    await status("environments", name, {
      ...first,
      components: [{ name: "network", state: "Planning", run: metadata.name }],
    });
    return uid;
  }

  function status(plural: "environments" | "runs", name: string, fields: Record<string, unknown>): Promise<Answer> {
    const kind = plural === "runs" ? "Run" : "Environment";
    const body = { apiVersion: "terrarium.dev/v1alpha1", kind, status: fields };
    return made(api.apply(`${KINDS}/${plural}/${name}/status`, body, "terrarium", PEOPLE.operator));
  }

  const call = (person: Person, args: readonly string[], options?: CallOptions) => people.call(person, args, options);

  const object = async (plural: string, name: string) =>
    (await made(api.get(`${KINDS}/${plural}/${name}`))).body as {
      metadata: { annotations?: Record<string, string> };
      spec: Record<string, unknown>;
    };

  it("shows a viewer what an environment is doing, and its Runs", async () => {
    const { code, out } = await call(PEOPLE.viewer, ["status", "shop"]);
    assert.equal(code, EXIT.waiting);
    assert.match(out, /shop in team-plugin: not Ready, Progressing/);
    assert.match(out, /network +Planning/);
    assert.match(
      (await call(PEOPLE.viewer, ["runs", "shop"])).out,
      /shop-network-1 +network +1 +Apply +Created +Planning/,
    );
    assert.match((await call(PEOPLE.viewer, ["status"])).out, /shop +Progressing +0\/1 ready/);
  });

  it("shows a viewer who watches what changes", async () => {
    await anEnvironment("watched");
    const seen = Promise.withResolvers<void>();
    const stopping = new AbortController();
    const show = (text: string) => {
      if (text.includes("Applying")) seen.resolve();
      // The first picture is what the change is seen against.
      else void status("environments", "watched", { ...first, components: [{ name: "network", state: "Applying" }] });
    };
    const watched = call(PEOPLE.viewer, ["status", "watched", "--watch"], { signal: stopping.signal, show });
    await seen.promise;
    stopping.abort();
    assert.equal((await watched).code, EXIT.interrupted);
  });

  it("lets an editor ask for a Run, and tells a viewer which right is missing", async () => {
    const before = await call(PEOPLE.viewer, ["run", "shop"]);
    assert.equal(before.code, EXIT.forbidden);
    assert.match(before.err, /^You \(victor\) may not patch environments in the namespace team-plugin\./);
    assert.equal((await object("environments", "shop")).metadata.annotations, undefined);
    assert.equal((await call(PEOPLE.editor, ["run", "shop"])).code, EXIT.done);
    const { metadata } = await object("environments", "shop");
    assert.ok(Math.abs(Date.parse(metadata.annotations?.["terrarium.dev/requestedAt"] ?? "") - Date.now()) < 60_000);
  });

  it("lets an editor suspend and resume", async () => {
    assert.equal((await call(PEOPLE.editor, ["suspend", "shop"])).code, EXIT.done);
    assert.equal((await object("environments", "shop")).spec.suspend, true);
    assert.equal((await call(PEOPLE.editor, ["resume", "shop"])).code, EXIT.done);
    assert.equal((await object("environments", "shop")).spec.suspend, false);
  });

  it("lets an administrator unlock, and an editor not", async () => {
    const refused = await call(PEOPLE.editor, ["unlock", "shop-network-1", "--yes"]);
    assert.equal(refused.code, EXIT.forbidden);
    assert.match(refused.err, /You \(edith\) may not patch runs in the namespace team-plugin\..*"admin"/);
    assert.equal((await call(PEOPLE.namespaceAdmin, ["unlock", "shop-network-1", "--yes"])).code, EXIT.done);
    const { metadata } = await object("runs", "shop-network-1");
    assert.equal(metadata.annotations?.["terrarium.dev/confirm-dead"], "uid-of-the-pod");
  });

  interface Signed {
    readonly spec: {
      readonly decision: string;
      readonly approver: string;
      readonly planDigest: string;
      readonly reason?: string;
    };
  }
  const approvalsOf = async (name: string) => {
    const { body } = await made(api.get(`${KINDS}/approvals?fieldSelector=spec.environment=${name}`));
    return (body.items as readonly Signed[]).map(({ spec }) => spec);
  };

  it("lets an approver sign the plan that was shown, and records who it was", async () => {
    const digest = await held("held");
    const read = await call(PEOPLE.viewer, ["plan", "held"]);
    assert.match(read.out, /- aws_s3_bucket\.old/);
    assert.ok(read.out.includes(digest));
    const { code, out } = await call(approver, ["approve", "held", "--yes", "--reason", "read it"]);
    assert.equal(code, EXIT.done);
    assert.match(out, /1 to change, 1 to destroy/);
    assert.match(out, /Approved: held-network-1/);
    const [signed, ...more] = await approvalsOf("held");
    const { environment: _, run: __, ...word } = signed as Signed["spec"] & { environment: unknown; run: unknown };
    assert.deepEqual(word, { decision: "Approve", approver: "grace", planDigest: digest, reason: "read it" });
    assert.equal(more.length, 0);
    const again = await call(approver, ["approve", "held", "--yes"]);
    assert.deepEqual([again.code, again.out.includes("Approved before")], [EXIT.done, true]);
  });

  it("lets an approver reject, and tells others which right is missing", async () => {
    await held("unwanted");
    for (const person of [PEOPLE.viewer, PEOPLE.editor, PEOPLE.namespaceAdmin]) {
      const { code, err } = await call(person, ["approve", "unwanted", "--yes"]);
      assert.equal(code, EXIT.forbidden, person.user);
      assert.match(err, /You \(\w+\) may not create approvals .*"terrarium-approver"/);
    }
    assert.deepEqual(await approvalsOf("unwanted"), []);
    assert.equal((await call(approver, ["reject", "unwanted", "--yes"])).code, EXIT.done);
    assert.deepEqual(
      (await approvalsOf("unwanted")).map(({ decision }) => decision),
      ["Reject"],
    );
  });

  it("signs nothing when nothing waits", async () => {
    assert.equal((await call(approver, ["approve", "shop", "--yes"])).code, EXIT.waiting);
  });

  it("tells everybody who they are and what they may do", async () => {
    const viewer = await call(PEOPLE.viewer, ["doctor"]);
    assert.match(viewer.out, /✔ test \(https:\/\/.*Kubernetes v1\.\d+/);
    assert.match(viewer.out, /You are victor, in the namespace team-plugin/);
    assert.match(viewer.out, /· You may not change environments/);
    assert.match(viewer.out, /may not look at the operator itself/);
    const editor = await call(PEOPLE.editor, ["doctor", "shop"]);
    assert.match(editor.out, /✔ You may change environments/);
    assert.match(editor.out, /· You may not state that a pod is dead/);
    assert.match(editor.out, /· You may not approve and reject plans: that takes the role terrarium-approver/);
    assert.match((await call(approver, ["doctor", "shop"])).out, /✔ You may approve and reject plans/);
    assert.match((await call(PEOPLE.namespaceAdmin, ["doctor"])).out, /✔ You may state that a pod is dead/);
  });

  it("completes names of environments and Runs", async () => {
    const { out } = await call(PEOPLE.viewer, ["__complete", "logs", "sh"]);
    assert.ok(out.includes("shop\t"), out);
  });
});
