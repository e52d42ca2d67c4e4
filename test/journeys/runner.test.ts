import assert from "node:assert/strict";
import { anEnvironment } from "./support/environments.ts";
import { journey, journeys, journeyWithEachEngine } from "./support/journey.ts";
import { keeps } from "./support/modules.ts";
import { outputOf } from "./support/place.ts";
import { openPrivateLibrary } from "./support/private-library.ts";

const output = { name: "kept", valueFrom: { output: { component: "one", name: "kept" } } };

journeys("the pod in which the engine runs", () => {
  journeyWithEachEngine("trusts the authority that the Environment names, and no other", async (place, engine) => {
    const library = await openPrivateLibrary(place.installation.hostAddress, {
      "main.tf": 'output "gift" { value = "from behind TLS" }\n',
    });
    try {
      const module = `module "lib" { source = "${library.address}" }\noutput "kept" { value = module.lib.gift }\n`;
      const environment = (runner: object) =>
        anEnvironment({
          name: "trusting",
          engine,
          retry: { limit: 0 },
          runner,
          components: [{ name: "one", module }],
          outputs: [output],
        });
      await place.apply(environment({}));
      const refused = await place.untilRunEnds("one");
      assert.match(refused.status?.outcome?.message ?? "", /certificate signed by unknown authority/);

      await place.configMap("authorities", { "ours.pem": library.authority });
      await place.apply(environment({ caBundle: { configMapKeyRef: { name: "authorities", key: "ours.pem" } } }));
      assert.equal(outputOf(await place.untilReady("trusting"), "kept"), "from behind TLS");
    } finally {
      library.close();
    }
  });

  journey("has the ServiceAccount, resources, node, tolerations and pull secrets that are asked for", async (place) => {
    await place.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "deployer" } });
    const resources = { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "512Mi" } };
    const tolerations = [{ key: "only-for", operator: "Equal", value: "runners", effect: "NoSchedule" }];
    const nodeSelector = { "kubernetes.io/os": "linux" };
    const imagePullSecrets = [{ name: "registry" }];
    const runner = { serviceAccountName: "deployer", resources, nodeSelector, tolerations, imagePullSecrets };
    await place.apply(anEnvironment({ name: "fitted", runner, components: [{ name: "one", module: keeps("x") }] }));
    await place.untilReady("fitted");
    const [pod] = await place.pods("one");
    assert.equal(pod?.spec?.serviceAccountName, "deployer");
    assert.deepEqual(pod?.spec?.nodeSelector, nodeSelector);
    assert.deepEqual(pod?.spec?.imagePullSecrets, imagePullSecrets);
    assert.deepEqual(pod?.spec?.containers.find(({ name }) => name === "engine")?.resources, resources);
    assert.deepEqual(
      pod?.spec?.tolerations?.filter(({ key }) => key === "only-for"),
      tolerations,
    );
  });
});
