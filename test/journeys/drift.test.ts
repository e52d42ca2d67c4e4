import assert from "node:assert/strict";
import type { Run } from "../../operator/api/run.ts";
import type { Stored } from "../../operator/cluster/ports.ts";
import { approvers, says } from "./support/approvers.ts";
import { anEnvironment } from "./support/environments.ts";
import { journey, journeys, journeyWithEachEngine } from "./support/journey.ts";
import { keeps } from "./support/modules.ts";
import { conditionOf, isReady, lineOf, type Place } from "./support/place.ts";

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
      const tells = (run: Stored<Run>) => run.metadata.name === line.drift?.run && run.status?.finishedAt !== undefined;
      const check = await place.untilRun("settings", tells, { about: "the look that found it to end" });
      assert.equal(check.status?.plan?.verdict, "Noted");
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
    "what is proposed waits for a person, holds up nobody, and is put right when they agree",
    async (place) => {
      await letDeploy(place);
      await approvers(place, "ada");
      const environment = (text: string) =>
        anEnvironment({
          name: "drifts",
          components: [
            {
              name: "settings",
              module: makesConfigMap(place.namespace),
              credentials,
              drift: { interval: "1m", action: "Propose" },
            },
            { name: "user", dependsOn: ["settings"], module: keeps(text) },
          ],
        });
      await place.apply(environment("before"));
      await place.untilReady("drifts");
      await place.kubectl(["patch", "configmap", "settings", "--type=merge", "-p", '{"data":{"colour":"red"}}']);

      const proposed = await place.untilRun("settings", ({ status }) => status?.phase === "AwaitingApproval", {
        ...aLook,
        about: "a correction to be proposed",
      });
      assert.equal(proposed.spec.cause.type, "DriftFound");
      assert.deepEqual(proposed.status?.plan?.counts, { create: 0, update: 1, replace: 0, delete: 0 });
      assert.equal((await place.find("ConfigMap", "settings"))?.data?.colour, "red", "nothing is mended unasked");
      await place.until("drifts", (one) => conditionOf(one, "AwaitingApproval")?.status === "True" && isReady(one), {
        about: "to wait for a person, and to be as ready as before",
      });
      await place.apply(environment("after"));
      const user = await place.untilRunEnds("user", 2);
      assert.equal(user.status?.outcome?.result, "Applied");

      await says(place, "ada", "Approve", proposed);
      const ended = await place.untilRunEnds("settings", proposed.spec.number);
      assert.deepEqual([ended.metadata.uid, ended.status?.outcome?.result], [proposed.metadata.uid, "Applied"]);
      assert.equal((await place.find("ConfigMap", "settings"))?.data?.colour, "green");
      await place.until("drifts", (one) => conditionOf(one, "Drifted")?.status === "False" && isReady(one), {
        about: "the drift to be gone",
      });
    },
    { within: 240 },
  );
});
