import assert from "node:assert/strict";
import { ANNOTATIONS, FINALIZERS, GATEWAY_AUDIENCE, LABELS } from "../../operator/api/names.ts";
import type { Run } from "../../operator/api/run.ts";
import { podFor } from "../../operator/run/pod.ts";
import {
  configMap,
  container,
  environment,
  gatewayToken,
  plainPod,
  projectedToken,
  restricted,
  run,
  runnerPod,
  secret,
} from "./admission-objects.ts";
import {
  type Answer,
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

const NAMESPACE = "team-policies";
const CORE = `/api/v1/namespaces/${NAMESPACE}`;
const OWN = `/api/v1/namespaces/${OPERATOR_NAMESPACE}`;
const KINDS = `/apis/terrarium.dev/v1alpha1/namespaces/${NAMESPACE}`;

const RESTRICTED = { "pod-security.kubernetes.io/enforce": "restricted" };

/** Inputs of a Run that give its pod every kind of volume and setting. */
const EVERY_INPUT = {
  source: { configMap: { name: "modules" } },
  variables: [{ name: "password", valueFrom: { secretKeyRef: { name: "shop", key: "db" } } }],
  credentials: [{ name: "aws", secretRef: { name: "aws" }, as: "Env" }],
  runner: {
    resources: { requests: { cpu: "200m" }, limits: { memory: "1Gi" } },
    nodeSelector: { "kubernetes.io/os": "linux" },
    tolerations: [{ key: "infra", operator: "Exists" }],
    imagePullSecrets: [{ name: "registry" }],
    caBundle: { configMapKeyRef: { name: "ca", key: "ca.crt" } },
  },
};

/** With which the API server may take a token for its own; none stands for all of them. */
const API_AUDIENCES = [
  undefined,
  "api",
  "k3s",
  "kubernetes.default.svc",
  "https://kubernetes.default.svc",
  "https://kubernetes.default.svc.cluster.local",
  "https://oidc.eks.eu-west-1.amazonaws.com/id/0A1B",
  "https://container.googleapis.com/v1/projects/shop/locations/europe-west1/clusters/one",
  "https://shop-1a2b.hcp.westeurope.azmk8s.io",
  "https://westeurope.oic.prod-aks.azure.com/tenant/cluster/",
  "an-audience-of-this-cluster",
] as const;

const withSecurity = (fields: object) => ({ securityContext: { ...restricted, ...fields } });
const secured = (fields: object) => ({ containers: [container(withSecurity(fields))] });

async function accepted(answer: Promise<Answer>): Promise<void> {
  const { status, message } = await answer;
  assert.ok(status < 300, `${status} ${message}`);
}

/** Refused by a policy of the chart, whose sentence it is; a missing right would say something else. */
async function refused(answer: Promise<Answer>, sentence: string): Promise<void> {
  const { status, message } = await answer;
  assert.ok(status === 403 || status === 422, `${status} ${message}`);
  assert.ok(message.includes("ValidatingAdmissionPolicy"), message);
  assert.ok(message.includes(sentence), message);
}

describe("admission policies", function () {
  this.timeout(120_000);
  let api: Api;

  before(async () => {
    api = await chartApi();
    await made(api.create("/api/v1/namespaces", namespace(NAMESPACE)));
    await bindPeople(api, NAMESPACE);
    await until(
      () => api.get(`${CORE}/serviceaccounts/default`),
      ({ status }) => status === 200,
    );
    // Roles are aggregated and policies compiled a moment after they exist.
    await until(
      () => api.get(`${KINDS}/runs`, PEOPLE.editor),
      ({ status }) => status === 200,
    );
    const probe = run("probe");
    await until(
      () => api.create(`${KINDS}/runs`, probe),
      ({ status }) => status === 403,
    );
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

  it("hold no expression that the API server doubts", async () => {
    const policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/terrarium-runner-changes";
    const { body } = await until(
      () => api.get(policies),
      ({ body }) => (body.status as { typeChecking?: object } | undefined)?.typeChecking !== undefined,
    );
    assert.deepEqual((body.status as { typeChecking: object }).typeChecking, {});
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

  describe("on what the operator itself does", () => {
    const pods = `${CORE}/pods`;

    it("accept a runner pod", async () => {
      await accepted(api.create(pods, runnerPod("allowed"), PEOPLE.operator));
      await accepted(api.delete(`${pods}/allowed`, PEOPLE.operator));
    });

    it("accept the very pods that it makes, where the restricted standard is enforced", async () => {
      const strict = { ...namespace("team-strict"), metadata: { name: "team-strict", labels: RESTRICTED } };
      await made(api.create("/api/v1/namespaces", strict));
      await until(
        () => api.get("/api/v1/namespaces/team-strict/serviceaccounts/default"),
        ({ status }) => status === 200,
      );
      const runs = "/apis/terrarium.dev/v1alpha1/namespaces/team-strict/runs";
      const { body } = await made(api.create(runs, run("shop-network-1", EVERY_INPUT), PEOPLE.operator));
      const settings = { gatewayUrl: "https://terrarium-gateway.terrarium-system.svc:8443", gatewayCa: "", order: "x" };
      for (const phase of ["Plan", "Apply"] as const) {
        const pod = podFor(body as unknown as Run, phase, settings);
        await accepted(api.create("/api/v1/namespaces/team-strict/pods", { ...pod }, PEOPLE.operator));
      }
    });

    const forbidden: readonly (readonly [string, ReturnType<typeof runnerPod>, string])[] = [
      ["another image", runnerPod("x", { containers: [container({ image: "busybox" })] }), "starts no other images"],
      [
        "another image to begin with",
        runnerPod("x", { initContainers: [container({ name: "first", image: "busybox" })] }),
        "starts no other images",
      ],
      ["a hostPath", runnerPod("x", { volumes: [{ name: "h", hostPath: { path: "/" } }] }), "hostPath"],
      ["a Kubernetes token", runnerPod("x", { automountServiceAccountToken: true }), "given a Kubernetes token"],
      ["the node's network", runnerPod("x", { hostNetwork: true }), "share namespaces of the node"],
      [
        "privileges",
        runnerPod("x", { containers: [container({ securityContext: { privileged: true } })] }),
        "no privileged containers",
      ],
      ["no label of a Run", runnerPod("x", {}, {}), "the pods of Runs only"],
      ...API_AUDIENCES.map(
        (audience) =>
          [
            `a projected token of audience ${audience ?? "none"}`,
            runnerPod("x", { volumes: [gatewayToken, projectedToken(audience)] }),
            "that the API server takes",
          ] as const,
      ),
      ["root for all", runnerPod("x", { securityContext: { runAsUser: 0 } }), "run as root"],
      ["root in a container", runnerPod("x", secured({ runAsUser: 0 })), "run as root"],
      [
        "root to begin with",
        runnerPod("x", { initContainers: [container({ name: "first", ...withSecurity({ runAsUser: 0 }) })] }),
        "run as root",
      ],
      ["root where the image says so", runnerPod("x", secured({ runAsNonRoot: undefined })), "run as root"],
      [
        "root where one container says otherwise",
        runnerPod("x", { ...secured({ runAsNonRoot: false }), securityContext: { runAsNonRoot: true } }),
        "run as root",
      ],
      ["a capability", runnerPod("x", secured({ capabilities: { add: ["NET_ADMIN"] } })), "with capabilities"],
      ["another command", runnerPod("x", { containers: [container({ command: ["sh"] })] }), "no other commands"],
      ["the image's command", runnerPod("x", { containers: [container({ command: undefined })] }), "no other commands"],
      ["arguments", runnerPod("x", { containers: [container({ args: ["more"] })] }), "no other commands"],
      [
        "a hook",
        runnerPod("x", { containers: [container({ lifecycle: { postStart: { exec: { command: ["sh"] } } } })] }),
        "no other commands",
      ],
      [
        "a probe",
        runnerPod("x", { containers: [container({ livenessProbe: { exec: { command: ["sh"] } } })] }),
        "no other commands",
      ],
    ];
    for (const [what, pod, sentence] of forbidden) {
      it(`refuse a pod with ${what}`, () => refused(api.create(pods, pod, PEOPLE.operator), sentence));
    }

    it("accept what the workload identity of a ServiceAccount adds", async () => {
      const tokens = ["sts.amazonaws.com", "api://AzureADTokenExchange", "https://iam.googleapis.com/projects/1/x"];
      const volumes = [gatewayToken, ...tokens.map(projectedToken)];
      await accepted(api.create(pods, runnerPod("identity", { volumes }), PEOPLE.operator));
      await accepted(api.delete(`${pods}/identity`, PEOPLE.operator));
    });

    it("refuse a pod, and everybody an Environment, in a namespace of Kubernetes itself", async () => {
      for (const name of ["kube-system", "kube-public", "kube-node-lease"]) {
        await until(
          () => api.get(`/api/v1/namespaces/${name}/serviceaccounts/default`),
          ({ status }) => status === 200,
        );
        const path = `/api/v1/namespaces/${name}/pods`;
        await refused(api.create(path, runnerPod("x"), PEOPLE.operator), "in a namespace of Kubernetes itself");
        const environments = `/apis/terrarium.dev/v1alpha1/namespaces/${name}/environments`;
        await refused(api.create(environments, environment("x")), "in the namespaces of Kubernetes itself");
      }
    });

    it("refuse to touch pods of others", async () => {
      await made(api.create(pods, plainPod("foreign"), PEOPLE.editor));
      const claimed = { metadata: { labels: { [LABELS.run]: "x" } } };
      await refused(api.patch(`${pods}/foreign`, claimed, PEOPLE.operator), "the pods of Runs only");
      await refused(api.delete(`${pods}/foreign`, PEOPLE.operator), "the pods of Runs only");
    });

    it("refuse a pod beside its keys", async () => {
      await until(
        () => api.get(`${OWN}/serviceaccounts/default`),
        ({ status }) => status === 200,
      );
      await refused(api.create(`${OWN}/pods`, runnerPod("x"), PEOPLE.operator), "in the operator's own namespace");
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
