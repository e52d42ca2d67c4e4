/** Which pods the chart's policies let the operator make, and where. */
import { LABELS } from "../../operator/api/names.ts";
import type { Run } from "../../operator/api/run.ts";
import { podFor } from "../../operator/run/pod.ts";
import {
  container,
  environment,
  gatewayToken,
  plainPod,
  projectedToken,
  restricted,
  run,
  runnerPod,
} from "./admission-objects.ts";
import { type Api, made, namespace, OPERATOR_NAMESPACE, PEOPLE, until } from "./admission-server.ts";
import { accepted, refused } from "./admission-verdicts.ts";
import { coreIn, policedNamespace } from "./policed-namespace.ts";

const NAMESPACE = "team-operated";
const CORE = coreIn(NAMESPACE);
const OWN = coreIn(OPERATOR_NAMESPACE);

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

describe("admission policies", function () {
  this.timeout(120_000);
  let api: Api;

  before(async () => {
    api = await policedNamespace(NAMESPACE);
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
});
