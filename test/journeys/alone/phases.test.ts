import type { ComponentName } from "../../../tools/cluster/components.ts";
import { isWhole } from "../../faults/whole.ts";
import { signalPart, untilNamespacesMayGo } from "../support/cluster-parts.ts";
import { journey, journeys } from "../support/journey.ts";
import { endOperators, killOperatorPods, untilOperatorsAreReady } from "../support/operator-pods.ts";
import { throughAllPhases } from "../support/phases.ts";
import type { Place } from "../support/place.ts";

type Blow = (place: Place) => Promise<void>;

const operatorBlows: readonly (readonly [string, Blow])[] = [
  ["the operator, all replicas at once, killed", killOperatorPods],
  ["the operator, all replicas at once, told to end", endOperators],
];

const PARTS: readonly ComponentName[] = ["kubelet", "containerd", "kube-apiserver", "etcd"];

const partBlows = PARTS.flatMap((part) =>
  (["SIGKILL", "SIGTERM"] as const).map(
    (signal) => [`${part}: ${signal}`, (place: Place) => signalPart(place, part, signal)] as const,
  ),
);

journeys("whatever ends in each phase of a life", () => {
  for (const [what, blow] of isWhole ? [...operatorBlows, ...partBlows] : operatorBlows) {
    journey(
      `${what}, in init, in plan, while a plan waits, in apply and in destroy: it costs waiting and nothing else`,
      async (place) => {
        await throughAllPhases(place, () => blow(place));
        await untilOperatorsAreReady(place);
        await untilNamespacesMayGo(place);
      },
      { manner: "alone", within: isWhole ? 1_200 : 420 },
    );
  }
});
