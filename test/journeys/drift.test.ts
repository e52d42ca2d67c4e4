import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { now, operatorRequestsSince } from "./support/audit.ts";
import { anEnvironment } from "./support/environments.ts";
import { journey, journeys, journeyWithEachEngine } from "./support/journey.ts";
import { keeps } from "./support/modules.ts";
import { conditionOf, lineOf, type Place } from "./support/place.ts";

/** An interval of a minute, the tenth by which it may be later, and a pod on a busy machine. */
const aLook = { within: 150 };

/** What the kubectl provider needs to make objects in the journey's namespace. */
async function letDeploy(place: Place): Promise<void> {
  const { namespace } = place;
  const metadata = { name: "deployer" };
  const objects = [
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata,
      rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["*"] }],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "deployer" },
      subjects: [{ kind: "ServiceAccount", name: "deployer", namespace }],
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "deployer-token", annotations: { "kubernetes.io/service-account.name": "deployer" } },
      type: "kubernetes.io/service-account-token",
    },
  ];
  for (const object of objects) await place.apply(object);
}

const credentials = [{ name: "cluster", secretRef: { name: "deployer-token" }, as: "Files" }];

const makesConfigMap = (namespace: string) => `
terraform {
  required_providers {
    kubectl = { source = "gavinbunney/kubectl" }
  }
}

provider "kubectl" {
  host                   = "https://kubernetes.default.svc"
  token                  = file("/terrarium/credentials/cluster/token")
  cluster_ca_certificate = file("/terrarium/credentials/cluster/ca.crt")
  load_config_file       = false
}

resource "kubectl_manifest" "settings" {
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "settings", namespace = "${namespace}" }
    data       = { colour = "green" }
  })
}
`;

journeys("drift", () => {
  journeyWithEachEngine(
    "an object that is edited by hand is found and told, and brought back where that is wanted",
    async (place, engine) => {
      await letDeploy(place);
      const environment = (drift: object) =>
        anEnvironment({
          name: "drifts",
          engine,
          drift: { interval: "1m", ...drift },
          components: [{ name: "settings", module: makesConfigMap(place.namespace), credentials }],
        });
      await place.apply(environment({}));
      await place.untilReady("drifts");
      await place.kubectl(["patch", "configmap", "settings", "--type=merge", "-p", '{"data":{"colour":"red"}}']);

      const isTold = (one: Parameters<typeof conditionOf>[0]) => conditionOf(one, "Drifted")?.status === "True";
      const told = await place.until("drifts", isTold, { ...aLook, about: "the drift to be told" });
      assert.equal(conditionOf(told, "Ready")?.status, "True", "it is as ready as before");
      const line = lineOf("settings")(told);
      assert.equal(line?.state, "Drifted");
      assert.deepEqual(line.drift?.addresses, ["kubectl_manifest.settings"]);
      assert.deepEqual(line.drift?.counts, { create: 0, update: 1, replace: 0, delete: 0 });
      assert.equal((await place.find("ConfigMap", "settings"))?.data?.colour, "red", "nothing is mended unasked");
      const check = (await place.runs("settings")).find(({ metadata }) => metadata.name === line.drift?.run);
      assert.equal(check?.status?.plan?.verdict, "Noted");
      assert.deepEqual(check.metadata.finalizers ?? [], []);

      await place.apply(environment({ action: "Correct" }));
      const isGone = (one: Parameters<typeof conditionOf>[0]) => conditionOf(one, "Drifted")?.status === "False";
      await place.until("drifts", isGone, { about: "the drift to be gone" });
      assert.equal((await place.find("ConfigMap", "settings"))?.data?.colour, "green");
      const last = (await place.runs("settings")).filter(({ spec }) => spec.operation === "Apply").at(-1);
      assert.equal(last?.spec.cause.type, "DriftFound");
    },
    { within: 300 },
  );

  journey(
    "looking at what is unchanged costs five requests, and two more where the gateway has just started",
    async (place) => {
      const drift = { interval: "1m" };
      await place.apply(anEnvironment({ name: "steady", drift, components: [{ name: "one", module: keeps("x") }] }));
      await place.untilReady("steady");
      const first = await place.untilRunEnds("one", 2, aLook);
      assert.equal(first.spec.operation, "Check");
      // What follows from its end is done by then.
      await pause(3_000);
      const ready = await place.environment("steady");
      const from = await now(place);
      const second = await place.untilRunEnds("one", 3, aLook);
      assert.equal(second.status?.outcome?.result, "Unchanged");
      await pause(3_000);
      const requests = (await operatorRequestsSince(place, from)).map(
        ({ verb, resource, subresource }) => `${verb} ${resource}${subresource === undefined ? "" : `/${subresource}`}`,
      );
      const reads = requests.filter((request) => request === "get secrets");
      assert.ok(reads.length <= 2, `the state and the archive, once for each replica: ${requests}`);
      assert.deepEqual(requests.filter((request) => request !== "get secrets").toSorted(), [
        "create pods",
        "create runs",
        "create tokenreviews",
        "delete runs",
        "patch runs/status",
      ]);
      const after = await place.environment("steady");
      assert.equal(after.metadata.resourceVersion, ready.metadata.resourceVersion, "the Environment is not written to");
      console.error(
        `  a look at what is unchanged: ${requests.length} requests of the operator (${requests.join(", ")})`,
      );
    },
    { within: 300, manner: "alone" },
  );
});
