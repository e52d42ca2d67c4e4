import assert from "node:assert/strict";
import type { ComponentName } from "../../../tools/cluster/components.ts";
import { freezePart, killPartAfter, signalPart, untilNamespacesMayGo } from "../support/cluster-parts.ts";
import { untilEnded } from "../support/containers.ts";
import { applyHalfWay, goOn, takenDown, wentOn } from "../support/half-way.ts";
import { journey, journeys } from "../support/journey.ts";
import { cutOffGateway, restoreGateway, untilOperatorsAreReady } from "../support/operator-pods.ts";

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

  journey(
    "a machine that is cut off in an apply, and whose pod is given up, comes back: nobody else has applied, and its result counts",
    async (place) => {
      const pod = await applyHalfWay(place);
      await cutOffGateway(pod);
      await freezePart(place, "kubelet", async () => {
        goOn(place);
        await untilEnded(pod, "engine", /tofu apply/);
        // As Kubernetes does after five minutes of silence.
        await place.kubectl(["delete", "pod", pod.metadata.name, "--wait=false"]);
        await place.untilRun("one", ({ status }) => /asked to end/.test(status?.message ?? ""));
        assert.equal((await place.runs("one")).length, 1, "nobody tries again before the pod is proven dead");
      });
      await restoreGateway(pod);
      await wentOn(place);
      await takenDown(place);
      await untilOperatorsAreReady(place);
    },
    { manner: "alone", within: 300 },
  );
});
