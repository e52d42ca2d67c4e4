import assert from "node:assert/strict";
import { environment } from "./admission-objects.ts";
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

const NAMESPACE = "team-approvals";
const OTHER = "team-approvals-2";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const path = (inNamespace: string) => `/apis/terrarium.dev/v1alpha1/namespaces/${inNamespace}/approvals`;

const grace: Person = { user: "grace", groups: ["system:authenticated"] };
/** May approve the Environment `shop`, and no other. */
const bob: Person = { user: "bob", groups: ["system:authenticated"] };
/** May create Approvals, and lacks the verb `approve`. */
const eve: Person = { user: "eve", groups: ["system:authenticated"] };

const approval = (name: string, approver: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: "terrarium.dev/v1alpha1",
  kind: "Approval",
  metadata: { name, ...metadata },
  spec: {
    environment: "shop",
    run: { name: "shop-network-1a2b3c4d", uid: "run-uid" },
    planDigest: `sha256:${"a".repeat(64)}`,
    decision: "Approve",
    approver,
    ...spec,
  },
});

const role = (name: string, rules: readonly object[]) => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "Role",
  metadata: { name },
  rules,
});
const binding = (name: string, kind: "Role" | "ClusterRole", roleName: string, { user }: Person) => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "RoleBinding",
  metadata: { name },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name: roleName },
  subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: user }],
});

function refused({ status, message }: Answer, sentence: RegExp): void {
  assert.ok(status === 403 || status === 422, `${status} ${message}`);
  assert.match(message, sentence);
}

describe("an Approval", function () {
  this.timeout(120_000);
  let api: Api;

  before(async () => {
    api = await chartApi();
    const create = [{ apiGroups: ["terrarium.dev"], resources: ["approvals"], verbs: ["create"] }];
    const onlyShop = {
      apiGroups: ["terrarium.dev"],
      resources: ["environments"],
      verbs: ["approve"],
      resourceNames: ["shop"],
    };
    for (const one of [NAMESPACE, OTHER]) {
      await made(api.create("/api/v1/namespaces", namespace(one)));
      await bindPeople(api, one);
    }
    await made(api.create(`/apis/terrarium.dev/v1alpha1/namespaces/${NAMESPACE}/environments`, environment("shop")));
    const here = `${RBAC}/namespaces/${NAMESPACE}`;
    await made(api.create(`${here}/roles`, role("creator", create)));
    await made(api.create(`${here}/roles`, role("shop-approver", [...create, onlyShop])));
    await made(api.create(`${here}/rolebindings`, binding("grace", "ClusterRole", "terrarium-approver", grace)));
    await made(api.create(`${here}/rolebindings`, binding("bob", "Role", "shop-approver", bob)));
    await made(api.create(`${here}/rolebindings`, binding("eve", "Role", "creator", eve)));
    const asked = approval("first", "grace");
    await until(
      () => api.create(path(NAMESPACE), asked, grace),
      ({ status }) => status === 201 || status === 409,
    );
    // The policy acts a moment after it exists: from here on it does.
    await until(
      () => api.create(path(NAMESPACE), approval("too-early", "bob"), grace),
      ({ status }) => status === 403 || status === 422,
    );
  });

  it("is the word of whoever holds the approver's role", async () => {
    assert.equal((await api.create(path(NAMESPACE), approval("yes", "grace"), grace)).status, 201);
    const no = approval("no", "grace", { decision: "Reject", reason: "not today" });
    assert.equal((await api.create(path(NAMESPACE), no, grace)).status, 201);
  });

  it("is nobody's word for another", async () => {
    refused(await api.create(path(NAMESPACE), approval("forged", "bob"), grace), /nobody approves for another.*grace/s);
  });

  it("needs the verb approve on that very Environment", async () => {
    refused(
      await api.create(path(NAMESPACE), approval("no-verb", "eve"), eve),
      /eve may not approve plans of the Environment shop.*verb approve/s,
    );
    assert.equal((await api.create(path(NAMESPACE), approval("shop-only", "bob"), bob)).status, 201);
    refused(
      await api.create(path(NAMESPACE), approval("not-bank", "bob", { environment: "bank" }), bob),
      /may not approve plans of the Environment bank/,
    );
  });

  it("is not given by editors, viewers or administrators of the namespace, nor in another namespace", async () => {
    for (const person of [PEOPLE.editor, PEOPLE.viewer, PEOPLE.namespaceAdmin]) {
      const answer = await api.create(path(NAMESPACE), approval(`by-${person.user}`, person.user), person);
      refused(answer, /cannot create resource "approvals"/);
    }
    refused(await api.create(path(OTHER), approval("elsewhere", "grace"), grace), /cannot create resource "approvals"/);
  });

  it("never changes", async () => {
    const name = `${path(NAMESPACE)}/first`;
    refused(await api.patch(name, { spec: { decision: "Reject" } }, grace), /cannot patch resource/);
    refused(await api.patch(name, { spec: { decision: "Reject" } }), /one person's word and never changes/);
    const { body } = await api.get(name);
    assert.equal((body.spec as { decision: string }).decision, "Approve");
  });

  it("may be read by whoever may view the namespace, and found by its Run", async () => {
    const found = await api.get(`${path(NAMESPACE)}?fieldSelector=spec.run.name=shop-network-1a2b3c4d`, PEOPLE.viewer);
    assert.equal(found.status, 200);
    assert.ok((found.body.items as unknown[]).length >= 2);
    const none = await api.get(`${path(NAMESPACE)}?fieldSelector=spec.run.name=another`, PEOPLE.viewer);
    assert.deepEqual(none.body.items, []);
  });

  const nonsense: readonly [what: string, spec: object, sentence: RegExp][] = [
    ["a digest that is none", { planDigest: "latest" }, /planDigest is the digest of the plan/],
    ["no decision", { decision: "Perhaps" }, /Unsupported value: "Perhaps"/],
    ["a Run without its UID", { run: { name: "shop-network-1a2b3c4d" } }, /uid/],
    ["a field that does not exist", { signature: "x" }, /unknown field "spec.signature"/],
  ];
  for (const [what, spec, sentence] of nonsense) {
    it(`is refused with ${what}`, async () => {
      const { status, message } = await api.create(path(NAMESPACE), approval("nonsense", "grace", spec), grace);
      assert.ok(status >= 400, String(status));
      assert.match(message, sentence);
    });
  }
});
