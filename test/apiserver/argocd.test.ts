import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { customizationOf } from "../fakes/argo-lua.ts";
import { environment, run } from "./admission-objects.ts";
import { type Api, chartApi, type Manifest, made, namespace, type Person, until } from "./admission-server.ts";

const NAMESPACE = "team-shop";
const API = `/apis/terrarium.dev/v1alpha1/namespaces/${NAMESPACE}`;
const BINDINGS = `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}/rolebindings`;
const accountOf = (name: string): Person => ({
  user: `system:serviceaccount:argocd:${name}`,
  groups: ["system:serviceaccounts", "system:serviceaccounts:argocd", "system:authenticated"],
});
const argocd = accountOf("argocd-server");

const waiting = {
  ...run("shop-network-1a2b3c4d"),
  metadata: { name: "shop-network-1a2b3c4d", namespace: NAMESPACE, uid: "5f0c" },
  status: { phase: "AwaitingApproval", plan: { digest: `sha256:${"0a".repeat(32)}` } },
};

describe("Argo CD's buttons, with the rights of examples/argocd/rbac.yaml,", function () {
  this.timeout(120_000);
  let api: Api;
  const approval = async (button: string) => {
    const [answer] = await customizationOf("Run").action(button, waiting);
    assert.equal(answer?.operation, "create");
    return answer.resource as Manifest;
  };

  before(async () => {
    api = await chartApi();
    await until(
      () => api.create("/api/v1/namespaces", namespace(NAMESPACE)),
      ({ status }) => status === 201 || status === 409,
    );
    await made(api.create(`${API}/environments`, environment("shop")));
  });

  it("may do nothing before that", async () => {
    assert.equal((await api.create(`${API}/approvals`, await approval("approve"), argocd)).status, 403);
  });

  describe("once they are given", () => {
    before(async () => {
      const text = await readFile(join(import.meta.dirname, "../../examples/argocd/rbac.yaml"), "utf8");
      for (const document of parseAllDocuments(text)) await made(api.create(BINDINGS, document.toJS() as Manifest));
    });

    it("approve and reject in Argo CD's own name", async () => {
      for (const button of ["approve", "reject"]) {
        const word = await approval(button);
        await until(
          () => api.create(`${API}/approvals`, word, argocd),
          ({ status }) => status === 201,
        );
      }
    });

    it("approve in nobody else's name, and for nobody else", async () => {
      const word = await approval("approve");
      const other = await api.create(
        `${API}/approvals`,
        { ...word, metadata: { name: "by-another" } },
        accountOf("other"),
      );
      assert.equal(other.status, 403);
      const spec = { ...(word.spec as object), approver: "ada@example.com" };
      // The policy acts a moment after it exists.
      let tries = 0;
      const lend = () => {
        tries += 1;
        return api.create(`${API}/approvals`, { ...word, metadata: { name: `for-ada-${tries}` }, spec }, argocd);
      };
      const lent = await until(lend, ({ status }) => status >= 400);
      assert.match(lent.message, /approver/);
    });

    it("ask for a Run, suspend and let go on, all accepted by admission", async () => {
      const { action } = customizationOf("Environment");
      for (const name of ["run", "suspend", "resume", "extend"]) {
        const { body } = await made(api.get(`${API}/environments/shop`));
        const [answer] = await action(name, body);
        assert.ok(answer);
        const { metadata, spec } = answer.resource as {
          metadata: { annotations: object };
          spec: { suspend: boolean };
        };
        const patch = { metadata: { annotations: metadata.annotations }, spec: { suspend: spec.suspend } };
        await made(api.patch(`${API}/environments/shop`, patch, argocd));
      }
      const { body } = await made(api.get(`${API}/environments/shop`));
      const { annotations } = body.metadata as { annotations: Readonly<Record<string, string>> };
      assert.deepEqual(Object.keys(annotations).toSorted(), [
        "terrarium.dev/extend-until",
        "terrarium.dev/requestedAt",
      ]);
    });
  });
});
