import type { ComponentName } from "../../../tools/cluster/components.ts";
import { isWhole } from "../../faults/whole.ts";
import { signalPart, untilNamespacesMayGo } from "../support/cluster-parts.ts";
import { journey, journeys } from "../support/journey.ts";
import { endOperators, killOperatorPods, untilOperatorsAreReady } from "../support/operator-pods.ts";
import { throughAllPhases } from "../support/phases.ts";
import type { Place } from "../support/place.ts";

type Blow = (place: Place, goOn: () => void) => Promise<void>;

/** What has been killed is there again before the engine goes on. */
const then =
  (blow: (place: Place) => Promise<void>): Blow =>
  async (place, goOn) => {
    await blow(place);
    goOn();
  };

const operatorBlows: readonly (readonly [string, Blow])[] = [
  ["the operator, all replicas at once, killed", then(killOperatorPods)],
  ["the operator, all replicas at once, told to end", then(endOperators)],
];

const PARTS: readonly ComponentName[] = ["kubelet", "containerd", "kube-apiserver", "etcd"];

/** While a part is ending, which takes an API server a minute and more, the engine goes on. */
const partBlows = PARTS.flatMap((part): readonly (readonly [string, Blow])[] => [
  [`${part}: SIGKILL`, then((place) => signalPart(place, part, "SIGKILL"))],
  [`${part}: SIGTERM`, (place, goOn) => signalPart(place, part, "SIGTERM", goOn)],
]);

journeys("whatever ends in each phase of a life", () => {
  for (const [what, blow] of isWhole ? [...operatorBlows, ...partBlows] : operatorBlows) {
    journey(
      `${what}, in init, in plan, while a plan waits, in apply and in destroy: it costs waiting and nothing else`,
      async (place) => {
        await throughAllPhases(place, (goOn) => blow(place, goOn));
        await untilOperatorsAreReady(place);
        await untilNamespacesMayGo(place);
      },
      { manner: "alone", within: isWhole ? 1_200 : 420 },
    );
  }
});
