import type { ComponentName } from "../../../tools/cluster/components.ts";
import { killPartAfter, signalPart, untilNamespacesMayGo } from "../support/cluster-parts.ts";
import { untilEnded } from "../support/containers.ts";
import { applyHalfWay, goOn, takenDown, wentOn } from "../support/half-way.ts";
import { journey, journeys } from "../support/journey.ts";
import { untilOperatorsAreReady } from "../support/operator-pods.ts";

/** What every apply of the cluster stands on. An API server that is told to end takes its minute, which is no fault: it is killed. */
const parts: readonly (readonly [ComponentName, NodeJS.Signals])[] = [
  ["kubelet", "SIGTERM"],
  ["containerd", "SIGTERM"],
  ["kube-apiserver", "SIGKILL"],
  ["etcd", "SIGKILL"],
];

journeys("parts of the cluster that die", () => {
  for (const [part, signal] of parts) {
    journey(
      `${part}: ${signal} in an apply, and SIGKILL when that has ended unheard, cost waiting and nothing else`,
      async (place) => {
        const pod = await applyHalfWay(place);
        await signalPart(place, part, signal);
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
