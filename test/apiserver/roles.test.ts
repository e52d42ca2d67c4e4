import assert from "node:assert/strict";
import { configMap, environment, run, secret } from "./admission-objects.ts";
import {
  type Api,
  bindPeople,
  chartApi,
  made,
  namespace,
  OPERATOR_NAMESPACE,
  PEOPLE,
  type Person,
  until,
} from "./admission-server.ts";

const NAMESPACE = "team-roles";
const GROUP = "terrarium.dev";

type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete" | "deletecollection" | "approve";

/** Group, resource (with subresource) and namespace (none: the whole cluster). */
type Target = readonly [group: string, resource: string, namespace?: string];

const READ: readonly Verb[] = ["get", "list", "watch"];
const WRITE: readonly Verb[] = ["create", "update", "patch", "delete", "deletecollection"];
/** Every one of them is asked about: what is not expected is refused. */
const VERBS: readonly Verb[] = [...READ, ...WRITE, "approve"];

const approver: Person = { user: "april", groups: ["system:authenticated"] };
const approverBinding = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "RoleBinding",
  metadata: { name: "approver" },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "terrarium-approver" },
  subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: approver.user }],
};

describe("roles", function () {
  this.timeout(120_000);
  let api: Api;

  before(async () => {
    api = await chartApi();
    await made(api.create("/api/v1/namespaces", namespace(NAMESPACE)));
    await bindPeople(api, NAMESPACE);
    const bindings = `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}/rolebindings`;
    await made(api.create(bindings, approverBinding));
    const path = `/apis/${GROUP}/v1alpha1/namespaces/${NAMESPACE}/environments`;
    for (const person of [PEOPLE.viewer, PEOPLE.editor, PEOPLE.namespaceAdmin, approver]) {
      await until(
        () => api.get(path, person),
        ({ status }) => status === 200,
      );
    }
  });

  async function mayDo(person: Person, verb: Verb, [group, path, inNamespace]: Target): Promise<boolean> {
    const [resource, subresource] = path.split("/");
    const { body } = await made(
      api.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SubjectAccessReview",
        spec: {
          user: person.user,
          groups: person.groups,
          resourceAttributes: {
            group,
            resource,
            subresource,
            verb,
            ...(inNamespace ? { namespace: inNamespace } : {}),
          },
        },
      }),
    );
    return (body.status as { allowed: boolean }).allowed;
  }

  async function expectVerbs(person: Person, target: Target, allowed: readonly Verb[]): Promise<void> {
    const answers = await Promise.all(VERBS.map((verb) => mayDo(person, verb, target)));
    assert.deepEqual(
      VERBS.filter((_, index) => answers[index]),
      VERBS.filter((verb) => allowed.includes(verb)),
    );
  }

  it("let a viewer read Environments and Runs, and write neither", async () => {
    await expectVerbs(PEOPLE.viewer, [GROUP, "environments", NAMESPACE], READ);
    await expectVerbs(PEOPLE.viewer, [GROUP, "runs", NAMESPACE], READ);
  });

  it("let an editor write Environments, and read Runs", async () => {
    await expectVerbs(PEOPLE.editor, [GROUP, "environments", NAMESPACE], [...READ, ...WRITE]);
    await expectVerbs(PEOPLE.editor, [GROUP, "runs", NAMESPACE], READ);
    await expectVerbs(PEOPLE.editor, [GROUP, "environments/status", NAMESPACE], READ);
    await expectVerbs(PEOPLE.editor, [GROUP, "runs/status", NAMESPACE], READ);
  });

  it("let an administrator of the namespace annotate Runs, and make or delete none", async () => {
    await expectVerbs(PEOPLE.namespaceAdmin, [GROUP, "runs", NAMESPACE], [...READ, "update", "patch"]);
  });

  for (const [who, person] of [
    ["a viewer", PEOPLE.viewer],
    ["an editor", PEOPLE.editor],
    ["an administrator of the namespace", PEOPLE.namespaceAdmin],
  ] as const)
    it(`let ${who} read Approvals, and make, change or delete none`, () =>
      expectVerbs(person, [GROUP, "approvals", NAMESPACE], READ));

  it("let an approver read everything that is asked about, and make Approvals, which nobody changes or deletes", async () => {
    await expectVerbs(approver, [GROUP, "environments", NAMESPACE], [...READ, "approve"]);
    await expectVerbs(approver, [GROUP, "runs", NAMESPACE], READ);
    await expectVerbs(approver, [GROUP, "approvals", NAMESPACE], [...READ, "create"]);
  });

  it("end at the namespace", async () => {
    await expectVerbs(PEOPLE.editor, [GROUP, "environments", "default"], []);
    await expectVerbs(PEOPLE.viewer, [GROUP, "runs", "default"], []);
    await expectVerbs(approver, [GROUP, "environments", "default"], []);
    await expectVerbs(approver, [GROUP, "approvals", "default"], []);
  });

  const OPERATOR: readonly (readonly [Target, readonly Verb[]])[] = [
    [
      [GROUP, "environments"],
      [...READ, "update", "patch", "delete"],
    ],
    [
      [GROUP, "environments/status"],
      ["get", "update", "patch"],
    ],
    [[GROUP, "environments/finalizers"], ["update"]],
    [
      [GROUP, "runs"],
      [...READ, "create", "update", "patch", "delete"],
    ],
    [
      [GROUP, "runs/status"],
      ["get", "update", "patch"],
    ],
    [[GROUP, "approvals"], READ],
    [
      ["", "pods"],
      [...READ, "create", "patch", "delete"],
    ],
    [["", "pods/exec"], []],
    [["", "pods/log"], []],
    [
      ["", "secrets"],
      ["create", "patch"],
    ],
    [
      ["", "configmaps"],
      ["create", "patch"],
    ],
    [["", "serviceaccounts"], []],
    [["", "serviceaccounts/token"], []],
    [["", "nodes"], READ],
    [["", "namespaces"], READ],
    [
      ["", "events"],
      ["create", "patch"],
    ],
    [
      ["events.k8s.io", "events"],
      ["create", "patch"],
    ],
    [["authentication.k8s.io", "tokenreviews"], ["create"]],
    [["authorization.k8s.io", "subjectaccessreviews"], ["create"]],
    [["rbac.authorization.k8s.io", "clusterroles"], []],
    [["admissionregistration.k8s.io", "validatingadmissionpolicies"], []],
    [["apiextensions.k8s.io", "customresourcedefinitions"], []],
    [
      ["", "secrets", OPERATOR_NAMESPACE],
      [...READ, "create", "update", "patch", "delete"],
    ],
    [
      ["", "configmaps", OPERATOR_NAMESPACE],
      [...READ, "create", "update", "patch", "delete"],
    ],
    [
      ["coordination.k8s.io", "leases", OPERATOR_NAMESPACE],
      [...READ, "create", "update", "patch", "delete"],
    ],
    [["coordination.k8s.io", "leases"], []],
    [["apps", "deployments", OPERATOR_NAMESPACE], []],
  ];

  for (const [target, verbs] of OPERATOR) {
    const [group, resource, where = "the cluster"] = target;
    it(`let the operator ${verbs.join(", ") || "do nothing"} with ${resource}.${group || "core"} in ${where}`, () =>
      expectVerbs(PEOPLE.operator, target, verbs));
  }

  it("give the resolver nothing at all", async () => {
    for (const [[group, resource]] of OPERATOR)
      await expectVerbs(PEOPLE.resolver, [group, resource, OPERATOR_NAMESPACE], []);
  });

  it("let the operator do its day's work for real", async () => {
    const core = `/api/v1/namespaces/${NAMESPACE}`;
    const kinds = `/apis/${GROUP}/v1alpha1/namespaces/${NAMESPACE}`;
    await made(api.create(`${kinds}/environments`, environment("shop"), PEOPLE.editor));
    const { body } = await made(api.get(`${kinds}/environments/shop`, PEOPLE.operator));
    const { uid } = body.metadata as { uid: string };
    const owner = { apiVersion: `${GROUP}/v1alpha1`, kind: "Environment", name: "shop", uid };
    const ownerReferences = [{ ...owner, controller: true, blockOwnerDeletion: true }];
    const owned = { ...run("shop-network-1"), metadata: { name: "shop-network-1", ownerReferences } };
    await made(api.create(`${kinds}/runs`, owned, PEOPLE.operator));
    const status = { apiVersion: `${GROUP}/v1alpha1`, kind: "Run", status: { phase: "Pending" } };
    await made(api.apply(`${kinds}/runs/shop-network-1/status`, status, "terrarium", PEOPLE.operator));
    const finalizers = { metadata: { finalizers: ["terrarium.dev/environment"] } };
    await made(api.patch(`${kinds}/environments/shop`, finalizers, PEOPLE.operator));
    const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "terrarium" }, spec: {} };
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${OPERATOR_NAMESPACE}/leases`;
    await made(api.create(leases, lease, PEOPLE.operator));
    await made(api.create(`/api/v1/namespaces/${OPERATOR_NAMESPACE}/secrets`, secret("key"), PEOPLE.operator));
    const marked = configMap("shop-outputs", { "terrarium.dev/outputs-of": "shop" });
    await made(api.apply(`${core}/configmaps/shop-outputs`, marked, "terrarium", PEOPLE.operator));
    await made(api.delete(`${kinds}/runs/shop-network-1`, PEOPLE.operator));
  });
});
