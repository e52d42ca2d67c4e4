import assert from "node:assert/strict";
import { join } from "node:path";
import { checkout } from "../../tools/bundle.ts";
import { signalProcesses } from "./support/containers.ts";
import { anEnvironment } from "./support/environments.ts";
import { operatorNamespace } from "./support/installation.ts";
import { journey, journeys } from "./support/journey.ts";
import { killPart, type MachinePart } from "./support/machine-parts.ts";
import { reports } from "./support/modules.ts";
import { untilOperatorsAreReady } from "./support/operator-pods.ts";
import type { Place } from "./support/place.ts";

const alone = { manner: "alone", within: 300 } as const;

/** Two resources: the second one begins when the first is there. */
function twoSteps({ outside }: Place) {
  const module = reports(outside.address, "first") + reports(outside.address, "second", ["first"]);
  return anEnvironment({ name: "shaken", components: [{ name: "one", module }] });
}

async function inApply(place: Place): Promise<void> {
  place.outside.hold("create/second");
  await place.apply(twoSteps(place));
  await place.outside.arrival("create/second");
}

/** One Run, one pod, everything once. */
async function wentOn(place: Place): Promise<void> {
  await place.untilReady("shaken", { within: 120 });
  const runs = await place.runs("one");
  assert.deepEqual([runs.length, runs[0]?.status?.pods?.length, runs[0]?.status?.outcome?.result], [1, 1, "Applied"]);
  assert.deepEqual(place.outside.heard, ["create/first", "create/second"]);
}

const PARTS: readonly MachinePart[] = ["kubelet", "containerd", "kube-apiserver", "etcd"];

journeys("a machine whose parts die", () => {
  for (const part of PARTS) {
    journey(
      `${part} is killed in an apply: the apply goes on, once`,
      async (place) => {
        await inApply(place);
        await killPart(place, part);
        place.outside.release("create/second");
        await wentOn(place);
      },
      alone,
    );
  }
});

journeys("an engine that is told to end", () => {
  journey("by SIGTERM in an apply: it saves its state, and the next try goes on from there", async (place) => {
    await inApply(place);
    const [run] = await place.runs("one");
    assert.ok(run);
    await signalProcesses(await place.podOf(run), "engine", /tofu apply/, "SIGTERM");
    place.outside.release("create/second");
    const ended = await place.untilRunEnds("one");
    assert.notEqual(ended.status?.outcome?.result, "Interrupted");
    assert.ok((ended.status?.outcome?.resources ?? 0) > 0, ended.status?.outcome?.message);
    await place.request("shaken");
    await place.untilReady("shaken", { within: 120 });
    assert.equal(place.outside.count("create/first"), 1, "what was made was not made again");
  });
});

journeys("an operator that was uninstalled", () => {
  journey(
    "and installed again finds every Environment and its state, makes nothing anew, and destroys what there is",
    async (place) => {
      const { outside, installation } = place;
      await place.apply(twoSteps(place));
      await place.untilReady("shaken", { within: 120 });
      const inItsNamespace = ["--namespace", operatorNamespace];
      const helm = (args: readonly string[], input = "") =>
        installation.kubectl.helm([...args, ...inItsNamespace], input);
      const values = await helm(["get", "values", "terrarium", "-o", "json"]);
      await helm(["uninstall", "terrarium", "--wait"]);
      try {
        await place.patch("shaken", { metadata: { labels: { seen: "while-nobody-looked" } } });
      } finally {
        const chart = join(checkout, "charts/terrarium");
        await helm(["install", "terrarium", chart, "--wait", "--timeout", "3m", "--values", "-"], values);
      }
      await untilOperatorsAreReady(place);
      await place.request("shaken");
      await place.untilRun("one", ({ spec, status }) => spec.number === 2 && status?.outcome !== undefined, {
        within: 120,
      });
      assert.deepEqual(outside.heard, ["create/first", "create/second"]);
      await place.delete("shaken");
      await place.untilGone("shaken");
      assert.deepEqual(outside.heard.slice(2), ["destroy/second", "destroy/first"]);
    },
    alone,
  );
});
