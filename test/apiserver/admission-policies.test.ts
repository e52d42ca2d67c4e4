/** What the chart's policies say about records, outputs, the store and namespaces. */
import assert from "node:assert/strict";
import { ANNOTATIONS, FINALIZERS, LABELS } from "../../operator/api/names.ts";
import { configMap, environment, run, runnerPod, secret } from "./admission-objects.ts";
import { type Api, made, namespace, OPERATOR_NAMESPACE, PEOPLE, until } from "./admission-server.ts";
import { accepted, refused } from "./admission-verdicts.ts";
import { coreIn, kindsIn, policedNamespace } from "./policed-namespace.ts";

const NAMESPACE = "team-policies";
const CORE = coreIn(NAMESPACE);
const OWN = coreIn(OPERATOR_NAMESPACE);
const KINDS = kindsIn(NAMESPACE);

describe("admission policies", function () {
  this.timeout(120_000);
  let api: Api;

  before(async () => {
    api = await policedNamespace(NAMESPACE);
  });

  it("hold no expression that the API server doubts", async () => {
    const policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/terrarium-runner-changes";
    const { body } = await until(
      () => api.get(policies),
      ({ body }) => (body.status as { typeChecking?: object } | undefined)?.typeChecking !== undefined,
    );
    assert.deepEqual((body.status as { typeChecking: object }).typeChecking, {});
  });

  describe("on records", () => {
    const only = "only the operator writes Runs";

    before(async () => {
      await made(api.create(`${KINDS}/runs`, run("shop-network-1"), PEOPLE.operator));
      await made(api.create(`${KINDS}/environments`, environment("shop"), PEOPLE.editor));
    });

    it("let nobody but the operator make, change or delete a Run, not even an administrator", async () => {
      await refused(api.create(`${KINDS}/runs`, run("forged")), only);
      const labels = { metadata: { labels: { a: "b" } } };
      await refused(api.patch(`${KINDS}/runs/shop-network-1`, labels), only);
      await refused(api.delete(`${KINDS}/runs/shop-network-1`), only);
      await refused(api.delete(`${KINDS}/runs`), only);
    });

    it("let nobody but the operator write a status", async () => {
      const status = { status: { observedGeneration: 7 } };
      for (const path of [`${KINDS}/runs/shop-network-1/status`, `${KINDS}/environments/shop/status`]) {
        await refused(api.patch(path, status), "only the operator writes it");
        await accepted(api.patch(path, status, PEOPLE.operator));
      }
    });

    it("let a person confirm on a Run that its pod is dead, and say nothing else", async () => {
      const path = `${KINDS}/runs/shop-network-1`;
      const confirmed = { [ANNOTATIONS.confirmDead]: "uid-of-the-pod" };
      await accepted(api.patch(path, { metadata: { annotations: confirmed } }, PEOPLE.namespaceAdmin));
      await accepted(api.patch(path, { metadata: { annotations: { [ANNOTATIONS.confirmDead]: null } } }));
      await refused(api.patch(path, { metadata: { annotations: { ...confirmed, other: "x" } } }), only);
      await refused(api.patch(path, { metadata: { annotations: confirmed, labels: { a: "b" } } }), only);
      await refused(api.patch(path, { metadata: { annotations: confirmed, finalizers: ["a/b"] } }), only);
    });

    it("let a cluster's administrator abandon what nothing else can free", async () => {
      const held = (finalizer: string) => ({ metadata: { finalizers: [finalizer] } });
      const freed = { metadata: { finalizers: null } };
      await made(api.create(`${KINDS}/environments`, environment("stuck", held(FINALIZERS.environment).metadata)));
      await accepted(api.patch(`${KINDS}/environments/stuck`, freed));
      await made(api.create(`${KINDS}/runs`, run("stuck"), PEOPLE.operator));
      await made(api.patch(`${KINDS}/runs/stuck`, held(FINALIZERS.run), PEOPLE.operator));
      await refused(api.patch(`${KINDS}/runs/stuck`, freed, PEOPLE.namespaceAdmin), only);
      await accepted(api.patch(`${KINDS}/runs/stuck`, freed));
      const manifest = runnerPod("stuck-p");
      const metadata = { ...manifest.metadata, finalizers: [FINALIZERS.pod] };
      await made(api.create(`${CORE}/pods`, { ...manifest, metadata }, PEOPLE.operator));
      await refused(api.patch(`${CORE}/pods/stuck-p`, freed, PEOPLE.namespaceAdmin), "until the operator has seen");
      await accepted(api.patch(`${CORE}/pods/stuck-p`, freed));
    });

    it("let the garbage collector and the namespace controller delete Runs", async () => {
      for (const cleaner of [PEOPLE.garbageCollector, PEOPLE.namespaceController]) {
        await made(api.create(`${KINDS}/runs`, run("old"), PEOPLE.operator));
        await accepted(api.delete(`${KINDS}/runs/old`, cleaner));
      }
    });

    it("keep the finalizer of an Environment until the operator takes it away", async () => {
      const held = environment("held", { finalizers: [FINALIZERS.environment] });
      await made(api.create(`${KINDS}/environments`, held, PEOPLE.editor));
      const path = `${KINDS}/environments/held`;
      const freed = { metadata: { finalizers: [] } };
      for (const person of [PEOPLE.editor, PEOPLE.namespaceAdmin]) {
        await refused(api.patch(path, freed, person), "set spec.deletionPolicy to Retain");
      }
      await accepted(api.patch(path, { spec: { suspend: true } }, PEOPLE.editor));
      await accepted(api.patch(path, freed, PEOPLE.operator));
    });
  });

  describe("on outputs", () => {
    const marked = { [LABELS.outputsOf]: "shop" };

    it("let the operator write objects that are marked as outputs", async () => {
      const applied = secret("shop-outputs", {}, marked);
      await accepted(api.apply(`${CORE}/secrets/shop-outputs`, applied, "terrarium", PEOPLE.operator));
      await accepted(api.apply(`${CORE}/secrets/shop-outputs`, applied, "terrarium", PEOPLE.operator));
      await accepted(api.apply(`${CORE}/configmaps/shop`, configMap("shop", marked), "terrarium", PEOPLE.operator));
    });

    it("let the operator read no Secret through an empty patch", async () => {
      await made(api.create(`${CORE}/secrets`, secret("private"), PEOPLE.editor));
      const sentence = "labelled terrarium.dev/outputs-of";
      await refused(api.patch(`${CORE}/secrets/private`, {}, PEOPLE.operator), sentence);
      const claimed = { metadata: { labels: marked } };
      await refused(api.patch(`${CORE}/secrets/private`, claimed, PEOPLE.operator), "was not made for outputs");
      const { status } = await api.get(`${CORE}/secrets/private`, PEOPLE.operator);
      assert.equal(status, 403);
    });

    it("refuse Secrets of other types and without the mark", async () => {
      const token = secret("token", { type: "kubernetes.io/service-account-token" }, marked);
      const annotations = { "kubernetes.io/service-account.name": "default" };
      const withAccount = { ...token, metadata: { ...token.metadata, annotations } };
      await refused(api.create(`${CORE}/secrets`, withAccount, PEOPLE.operator), "type Opaque");
      await refused(api.create(`${CORE}/secrets`, secret("bare"), PEOPLE.operator), "outputs-of");
      await refused(api.create(`${CORE}/configmaps`, configMap("bare"), PEOPLE.operator), "outputs-of");
    });
  });

  describe("on the store", () => {
    const stored = secret("state-1", { type: "terrarium.dev/state" }, { [LABELS.stored]: "blob" });

    it("let the operator write it, and a person restore it and nothing else", async () => {
      await made(api.create(`${OWN}/secrets`, stored, PEOPLE.operator));
      const change = { metadata: { annotations: { a: "b" } } };
      const path = `${OWN}/secrets/state-1`;
      await refused(api.patch(path, change), "holds a state or a key of Terrarium");
      await refused(api.delete(path), "holds a state or a key of Terrarium");
      await accepted(api.patch(path, change, PEOPLE.operator));
      await accepted(api.delete(path, PEOPLE.operator));
      await accepted(api.create(`${OWN}/secrets`, stored));
    });
  });

  describe("on namespaces", () => {
    it("refuse the deletion of one that holds an Environment, by name", async () => {
      const path = "/api/v1/namespaces/team-leaving";
      const environments = "/apis/terrarium.dev/v1alpha1/namespaces/team-leaving/environments";
      await made(api.create("/api/v1/namespaces", namespace("team-leaving")));
      await made(api.create(environments, environment("shop-staging")));
      const answer = await until(
        () => api.call({ method: "DELETE", path: `${path}?dryRun=All` }),
        ({ status }) => status !== 200,
      );
      assert.match(
        answer.message,
        /the namespace team-leaving still holds the Environment shop-staging: delete that first/,
      );
      await made(api.delete(`${environments}/shop-staging`));
      await until(
        () => api.delete(path),
        ({ status }) => status === 200,
      );
    });

    it("refuse the deletion of the operator's own", async () => {
      await refused(api.delete(`/api/v1/namespaces/${OPERATOR_NAMESPACE}`), "run helm uninstall terrarium");
    });
  });
});
