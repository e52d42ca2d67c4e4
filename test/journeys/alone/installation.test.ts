import assert from "node:assert/strict";
import type { KubeObject } from "../../../operator/cluster/ports.ts";
import { uninstalledWhile } from "../support/chart.ts";
import { untilNamespacesMayGo } from "../support/cluster-parts.ts";
import { untilEnded } from "../support/containers.ts";
import { anEnvironment } from "../support/environments.ts";
import { applyHalfWay, goOn, takenDown, wentOn } from "../support/half-way.ts";
import { journey, journeys } from "../support/journey.ts";
import { reports } from "../support/modules.ts";
import type { Place } from "../support/place.ts";

journeys("the installation", () => {
  journey(
    "uninstalled in an apply and installed again: definitions and Environments stay, the apply ends by itself and is recorded, nothing is orphaned",
    async (place) => {
      const pod = await applyHalfWay(place);
      const before = await place.environment("served");
      await uninstalledWhile(place, async () => {
        goOn(place);
        await untilEnded(pod, "engine", /tofu apply/);
        const roles = ["get", "clusterrole", "terrarium-operator", "--ignore-not-found", "--output", "name"];
        assert.equal(await place.kubectl(roles), "", "it is not installed");
        assert.equal((await place.environment("served")).metadata.uid, before.metadata.uid);
      });
      await wentOn(place);
      await takenDown(place);
    },
    { manner: "alone", within: 300 },
  );

  journey(
    "without its policy a namespace can be deleted: the Environment stays and says why, and goes once its objects are to be kept",
    async (place) => {
      const { outside } = place;
      await place.apply(
        anEnvironment({ name: "home", components: [{ name: "one", module: reports(outside.address, "lasting") }] }),
      );
      await place.untilReady("home");
      await withoutPolicy(place, () => place.kubectl(["delete", "namespace", place.namespace, "--wait=false"]));
      const line = await place.untilReason("home", "one", "StepRefused");
      assert.match(line.message ?? "", /namespace is being deleted.*deletionPolicy: Retain/);
      assert.deepEqual(outside.heard, ["create/lasting"], "nothing is destroyed, and the state of it is kept");

      await place.patch("home", { spec: { deletionPolicy: "Retain" } });
      await place.untilGone("home");
      assert.deepEqual(outside.heard, ["create/lasting"]);
    },
    { manner: "alone" },
  );
});

/** As in a cluster whose administrator has turned it off. */
async function withoutPolicy(place: Place, meanwhile: () => Promise<unknown>): Promise<void> {
  const binding = ["validatingadmissionpolicybinding", "terrarium-namespaces"];
  const manifest = await place.kubectl(["get", ...binding, "--output", "json"]);
  const { metadata, ...rest } = JSON.parse(manifest) as { readonly metadata: KubeObject["metadata"] };
  await place.kubectl(["delete", ...binding]);
  try {
    await untilNamespacesMayGo(place);
    await meanwhile();
  } finally {
    const { name, labels, annotations } = metadata;
    await place.apply({ ...rest, metadata: { name, labels, annotations } });
  }
}
