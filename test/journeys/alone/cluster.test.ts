import type { ComponentName } from "../../../tools/cluster/components.ts";
import { killPart, killPartAfter, untilNamespacesMayGo } from "../support/cluster-parts.ts";
import { untilEnded } from "../support/containers.ts";
import { applyHalfWay, goOn, takenDown, wentOn } from "../support/half-way.ts";
import { journey, journeys } from "../support/journey.ts";
import { untilOperatorsAreReady } from "../support/operator-pods.ts";

/** What every apply of the cluster stands on. */
const parts: readonly ComponentName[] = ["kubelet", "containerd", "kube-apiserver", "etcd"];

journeys("parts of the cluster that die", () => {
  for (const part of parts) {
    journey(
      `${part}: killed in an apply, and once more when that has ended unheard, it costs waiting and nothing else`,
      async (place) => {
        const pod = await applyHalfWay(place);
        await killPart(place, part);
        await killPartAfter(place, part, async () => {
          goOn(place);
          await untilEnded(pod, "engine", /tofu apply/);
        });
        await wentOn(place);
        await takenDown(place);
        await untilOperatorsAreReady(place);
        await untilNamespacesMayGo(place);
      },
      { manner: "alone", within: 300 },
    );
  }
});
