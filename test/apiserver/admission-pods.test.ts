/** What the chart's policies say about the pods of Runs, and about pods and tokens that look like theirs. */
import assert from "node:assert/strict";
import { FINALIZERS, GATEWAY_AUDIENCE, LABELS } from "../../operator/api/names.ts";
import { container, gatewayToken, plainPod, runnerPod } from "./admission-objects.ts";
import { type Api, made, PEOPLE, type Person, until } from "./admission-server.ts";
import { accepted, refused } from "./admission-verdicts.ts";
import { coreIn, policedNamespace } from "./policed-namespace.ts";

const NAMESPACE = "team-pods";
const CORE = coreIn(NAMESPACE);

describe("admission policies", function () {
  this.timeout(120_000);
  let api: Api;

  before(async () => {
    api = await policedNamespace(NAMESPACE);
  });

  describe("on tokens for the gateway", () => {
    const path = `${CORE}/serviceaccounts/default/token`;
    const tokenFor = (...audiences: string[]) => ({
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      metadata: {},
      spec: { audiences },
    });

    it("are minted by no person, and not by the operator", async () => {
      const sentence = "minted by kubelets only";
      await refused(api.create(path, tokenFor(GATEWAY_AUDIENCE), PEOPLE.editor), sentence);
      await refused(api.create(path, tokenFor("vault", GATEWAY_AUDIENCE), PEOPLE.namespaceAdmin), sentence);
      await refused(api.create(path, tokenFor(GATEWAY_AUDIENCE)), sentence);
    });

    it("of other audiences stay as free as they were", async () => {
      await accepted(api.create(path, tokenFor("vault"), PEOPLE.editor));
    });

    it("are minted by the kubelet of a runner pod", async () => {
      await made(api.create(`${CORE}/pods`, runnerPod("minted", { nodeName: "node-1" }), PEOPLE.operator));
      const { body } = await api.get(`${CORE}/pods/minted`);
      const { uid } = body.metadata as { uid: string };
      const bound = tokenFor(GATEWAY_AUDIENCE);
      const request = {
        ...bound,
        spec: { ...bound.spec, boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "minted", uid } },
      };
      const answer = await until(
        () => api.create(path, request, PEOPLE.node),
        ({ status }) => status === 201,
      );
      assert.ok((answer.body.status as { token: string }).token.length > 0);
    });
  });

  describe("on pods of people", () => {
    it("refuse a token for the gateway", async () => {
      const pod = plainPod("curious", { volumes: [gatewayToken] });
      await refused(api.create(`${CORE}/pods`, pod, PEOPLE.editor), "only the operator makes pods with a token");
      await refused(api.create(`${CORE}/pods`, pod), "only the operator makes pods with a token");
    });

    it("refuse the label of runner pods", async () => {
      const pod = runnerPod("disguised", { volumes: [] });
      await refused(api.create(`${CORE}/pods`, pod, PEOPLE.editor), "which only the operator makes");
      await made(api.create(`${CORE}/pods`, plainPod("plain"), PEOPLE.editor));
      const labelled = { metadata: { labels: { [LABELS.run]: "x" } } };
      await refused(api.patch(`${CORE}/pods/plain`, labelled, PEOPLE.editor), "changed by the operator only");
    });

    it("let all other pods be", async () => {
      const token = { name: "t", projected: { sources: [{ serviceAccountToken: { audience: "vault", path: "t" } }] } };
      await accepted(api.create(`${CORE}/pods`, plainPod("ordinary", { volumes: [token] }), PEOPLE.editor));
      const labelled = { metadata: { labels: { app: "x" } } };
      await accepted(api.patch(`${CORE}/pods/ordinary`, labelled, PEOPLE.editor));
    });
  });

  describe("on runner pods", () => {
    const pod = `${CORE}/pods/runner-p`;

    before(async () => {
      const manifest = runnerPod("runner-p");
      const metadata = { ...manifest.metadata, finalizers: [FINALIZERS.pod] };
      await made(api.create(`${CORE}/pods`, { ...manifest, metadata }, PEOPLE.operator));
      await made(api.create(`${CORE}/pods`, plainPod("neighbour"), PEOPLE.editor));
    });

    for (const way of ["exec?command=sh&stdin=true&container=agent", "attach?stdin=true", "portforward", "proxy"]) {
      it(`refuse ${way.split("?")[0]}, and let it be elsewhere`, async () => {
        const connect = (target: string) =>
          api.call({ method: way === "proxy" ? "GET" : "POST", path: `${target}/${way}`, as: PEOPLE.editor });
        const answer = await until(
          () => connect(pod),
          ({ message }) => message.includes("ValidatingAdmissionPolicy"),
        );
        assert.match(answer.message, /belongs to a Run and holds credentials and state/);
        assert.doesNotMatch((await connect(`${CORE}/pods/neighbour`)).message, /ValidatingAdmissionPolicy/);
      });
    }

    it("refuse ephemeral containers", async () => {
      const ephemeral = { spec: { ephemeralContainers: [{ name: "debug", image: "busybox" }] } };
      const answer = api.call({
        method: "PATCH",
        path: `${pod}/ephemeralcontainers`,
        body: ephemeral,
        contentType: "application/strategic-merge-patch+json",
      });
      await refused(answer, "ephemeral containers are refused");
    });

    it("keep their label and their finalizer", async () => {
      const bare = { metadata: { labels: { [LABELS.run]: null } } };
      await refused(api.patch(pod, bare, PEOPLE.editor), "changed by the operator only");
      await refused(api.patch(pod, { metadata: { finalizers: [] } }, PEOPLE.editor), "until the operator has seen");
      await accepted(api.patch(pod, { metadata: { annotations: { note: "x" } } }, PEOPLE.editor));
      await accepted(api.patch(pod, { metadata: { finalizers: [] } }, PEOPLE.operator));
    });
  });

  describe("on what runs in runner pods", () => {
    const sentence = "so nothing of its spec is changed";
    const path = `${CORE}/pods/fixed-p`;
    const sized = (cpu: string) => container({ resources: { requests: { cpu, memory: "64Mi" } } });
    const gates = [{ name: "kueue.x-k8s.io/admission" }];
    /** Lists are merged by name, as kubectl does it. */
    const edit = (spec: object, target = path, as: Person = PEOPLE.editor) =>
      api.call({
        method: "PATCH",
        path: target,
        body: { spec },
        as,
        contentType: "application/strategic-merge-patch+json",
      });
    const otherImage = { containers: [{ name: "agent", image: "localhost/evil" }] };

    before(async () => {
      await made(api.create(`${CORE}/pods`, runnerPod("fixed-p", { containers: [sized("100m")] }), PEOPLE.operator));
    });

    const changes: readonly (readonly [string, object])[] = [
      ["another image", otherImage],
      ["an earlier end", { activeDeadlineSeconds: 1 }],
      ["more tolerations", { tolerations: [{ key: "infra", operator: "Exists" }] }],
    ];
    for (const [what, spec] of changes) {
      it(`refuse ${what}, whoever asks`, async () => {
        for (const person of [PEOPLE.editor, PEOPLE.namespaceAdmin, PEOPLE.admin]) {
          await refused(edit(spec, path, person), sentence);
        }
        await refused(edit(spec, path, PEOPLE.operator), "the operator changes nothing of what a pod runs");
      });
    }

    it("refuse other resources while it runs", async () => {
      await refused(edit({ containers: [sized("1m")] }, `${path}/resize`, PEOPLE.admin), sentence);
      await made(api.create(`${CORE}/pods`, plainPod("resized", { containers: [sized("100m")] }), PEOPLE.editor));
      await accepted(edit({ containers: [sized("1m")] }, `${CORE}/pods/resized/resize`, PEOPLE.admin));
    });

    it("let a queue that holds a pod back place it and let it go, and change nothing else", async () => {
      const gated = `${CORE}/pods/gated-p`;
      await made(api.create(`${CORE}/pods`, runnerPod("gated-p", { schedulingGates: gates }), PEOPLE.operator));
      await refused(edit(otherImage, gated), sentence);
      const free = { schedulingGates: [{ $patch: "delete", ...gates[0] }] };
      await refused(edit({ ...free, ...otherImage }, gated), sentence);
      await accepted(edit({ nodeSelector: { pool: "runners" } }, gated));
      const tolerated = (...keys: string[]) => ({ tolerations: keys.map((key) => ({ key, operator: "Exists" })) });
      await accepted(edit({ ...free, ...tolerated("pool") }, gated));
      await refused(edit(tolerated("pool", "infra"), gated), sentence);
    });

    it("let everything else about it be: metadata, and the pods of others", async () => {
      await accepted(api.patch(path, { metadata: { labels: { team: "shop" } } }, PEOPLE.editor));
      await made(api.create(`${CORE}/pods`, plainPod("mine"), PEOPLE.editor));
      await accepted(edit({ containers: [{ name: "main", image: "busybox:1" }] }, `${CORE}/pods/mine`));
    });
  });
});
