import assert from "node:assert/strict";
import { isWhole } from "../faults/whole.ts";
import { anEnvironment, fromConfigMap } from "./support/environments.ts";
import { journey, journeys } from "./support/journey.ts";
import { keepsVariable, manyResources } from "./support/modules.ts";
import { outputOf, type Place } from "./support/place.ts";

const limitBytes = 32 * 1024;

const MANY = isWhole
  ? { title: "10,000 resources are made", resources: 10_000, within: 1_200 }
  : { title: "5,000 resources are made", resources: 5_000, within: 480 };
const LOUD = isWhole
  ? { title: "100 MB of output pass through", bytes: 100_000_000, within: 600 }
  : { title: "10 MB of output pass through", bytes: 10_000_000, within: 300 };

async function statusesAreSmall(place: Place, name: string): Promise<void> {
  const { status } = await place.environment(name);
  assert.ok(JSON.stringify(status).length < limitBytes, `status has ${JSON.stringify(status).length} bytes`);
  for (const run of await place.runs()) {
    assert.ok(JSON.stringify(run.status).length < limitBytes, `status of ${run.metadata.name} is too large`);
  }
}

journeys("large things", () => {
  for (const { engine, title, resources, sentences, within } of [
    { engine: "opentofu", ...MANY, sentences: 7 },
    // The same size in fewer pieces: 5,000 take Terraform 1.5 minutes of its own.
    { engine: "terraform", title: "1,000 resources are made", resources: 1_000, within: 480, sentences: 35 },
  ] as const) {
    journey(
      `a state and a plan of more than a mebibyte: ${title}, and kept when the Environment goes (${engine})`,
      async (place) => {
        const module = manyResources(resources, "a text that makes them large, ".repeat(sentences));
        await place.apply(
          anEnvironment({
            name: "large",
            engine,
            // Planning to destroy so many takes either engine minutes of its own.
            deletionPolicy: "Retain",
            components: [{ name: "one", module }],
            outputs: [{ name: "count", valueFrom: { output: { component: "one", name: "count" } } }],
          }),
        );
        const ready = await place.untilReady("large", { within });
        assert.equal(outputOf(ready, "count"), resources);
        const [run] = await place.runs();
        assert.equal(run?.status?.outcome?.resources, resources);
        assert.equal(run?.status?.plan?.resources.length, 50);
        assert.equal(run?.status?.plan?.truncated, true);
        await statusesAreSmall(place, "large");
        await place.delete("large");
        await place.untilGone("large");
      },
      { within: within + 420 },
    );
  }

  journey(
    `${LOUD.title}, and the status stays small`,
    async (place) => {
      const module = `
resource "terraform_data" "loud" {
  provisioner "local-exec" {
    command = "yes 'a line of output that is neither short nor long' | head -c ${LOUD.bytes}"
  }
}
`;
      await place.apply(anEnvironment({ name: "loud", components: [{ name: "one", module }] }));
      await place.untilReady("loud", { within: LOUD.within });
      const [run] = await place.runs();
      assert.equal(run?.status?.outcome?.result, "Applied");
      await statusesAreSmall(place, "loud");
    },
    { within: LOUD.within + 120 },
  );

  journey("an error message of a megabyte is cut", async (place) => {
    const module = `
resource "terraform_data" "wordy" {
  provisioner "local-exec" {
    command = "yes 'words, words, words' | head -c 1000000; exit 1"
  }
}
`;
    await place.apply(anEnvironment({ name: "wordy", retry: { limit: 0 }, components: [{ name: "one", module }] }));
    await place.untilComponent("wordy", "one", ({ state }) => state === "Failed");
    const [run] = await place.runs();
    assert.ok((run?.status?.outcome?.message.length ?? 0) <= 1_024);
    await statusesAreSmall(place, "wordy");
  });

  journey("a value of nearly a megabyte arrives whole", async (place) => {
    await place.configMap("large", { text: "0123456789".repeat(90_000) });
    const module = keepsVariable("text").replace(
      "terraform_data.kept.output\n",
      "length(terraform_data.kept.output)\n",
    );
    await place.apply(
      anEnvironment({
        name: "value",
        components: [{ name: "one", module, variables: [fromConfigMap("text", "large", "text")] }],
        outputs: [{ name: "length", valueFrom: { output: { component: "one", name: "kept" } } }],
      }),
    );
    const ready = await place.untilReady("value");
    assert.equal(outputOf(ready, "length"), 900_000);
  });

  journey("64 components have a status under 32 KiB", async (place) => {
    const failing = {
      name: "component-number-00",
      module: `output "x" { value = ${"not_a_function_".repeat(20)}() }\n`,
    };
    const waiting = Array.from({ length: 63 }, (_, index) => ({
      name: `component-number-${String(index + 1).padStart(2, "0")}`,
      module: 'output "x" { value = 1 }\n',
      dependsOn: ["component-number-00"],
    }));
    await place.apply(anEnvironment({ name: "many", retry: { limit: 0 }, components: [failing, ...waiting] }));
    await place.untilComponent("many", "component-number-00", ({ state }) => state === "Failed");
    await place.untilComponent("many", "component-number-63", ({ state }) => state === "Blocked");
    await statusesAreSmall(place, "many");
    assert.equal((await place.runs()).length, 1);
  });
});
