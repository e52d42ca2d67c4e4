import assert from "node:assert/strict";
import { anEnvironment, fromConfigMap, fromSecret } from "./support/environments.ts";
import { journey, journeys, journeyWithEachEngine } from "./support/journey.ts";
import { keeps, keepsVariable } from "./support/modules.ts";
import { type ComponentLine, outputOf, type Place } from "./support/place.ts";

const output = { name: "kept", valueFrom: { output: { component: "one", name: "kept" } } };

journeys("inputs from the namespace", () => {
  for (const kind of ["Secret", "ConfigMap"] as const) {
    journey(
      `a missing ${kind}, and then a missing key, are named within 10 s; it goes on by itself within 2 minutes`,
      async (place) => {
        const from = kind === "Secret" ? fromSecret : fromConfigMap;
        const write = (data: Record<string, string>) =>
          kind === "Secret" ? place.secret("settings", data) : place.configMap("settings", data);
        const module = keepsVariable("size").replace(
          "value = terraform_data.kept.output",
          "value = nonsensitive(terraform_data.kept.output)",
        );
        await place.apply(
          anEnvironment({
            name: "input",
            components: [{ name: "one", module, variables: [from("size", "settings", "size")] }],
          }),
        );
        const missing = await named(place, "input", new RegExp(`${kind} settings`));
        assert.ok(missing.retryAt);

        await write({ colour: "green" });
        await place.request("input");
        await named(place, "input", /settings: key size is missing/);

        await write({ colour: "green", size: "large" });
        await place.untilReady("input", { within: 120 });
      },
      { within: 180 },
    );
  }

  journey("what was missing is used at once when a Run is asked for", async (place) => {
    await place.apply(
      anEnvironment({
        name: "asked",
        components: [
          { name: "one", module: keepsVariable("size"), variables: [fromConfigMap("size", "settings", "size")] },
        ],
        outputs: [output],
      }),
    );
    // Two tries in vain: the pause has grown to 20 s.
    await place.untilRunEnds("one", 2);
    await place.configMap("settings", { size: "large" });
    await place.request("asked");
    const ready = await place.untilReady("asked");
    assert.equal(outputOf(ready, "kept"), "large");
    // Not after the pause: a Run of its own.
    const causes = (await place.runs("one")).map(({ spec }) => spec.cause.type);
    assert.deepEqual(causes, ["Created", "Retry", "Requested"]);
  });

  journey("waiting for an input does not use up the tries", async (place) => {
    await place.apply(
      anEnvironment({
        name: "patient",
        retry: { limit: 0 },
        components: [
          { name: "one", module: keepsVariable("size"), variables: [fromConfigMap("size", "settings", "size")] },
        ],
      }),
    );
    await place.untilRunEnds("one", 2);
    const line = await place.untilReason("patient", "one", "InputMissing");
    assert.ok(line.retryAt, "it is looked for again although the limit is 0");
    await place.configMap("settings", { size: "large" });
    await place.request("patient");
    await place.untilReady("patient");
  });

  journeyWithEachEngine(
    "a missing ConfigMap with the module itself is named, and used when it comes",
    async (place, engine) => {
      await place.apply(
        anEnvironment({
          name: "module",
          engine,
          source: { configMap: { name: "modules" } },
          components: [{ name: "one" }],
          outputs: [output],
        }),
      );
      await named(place, "module", /ConfigMap modules/);
      await place.configMap("modules", { "main.tf": keeps("from a ConfigMap") });
      await place.request("module");
      assert.equal(outputOf(await place.untilReady("module"), "kept"), "from a ConfigMap");
    },
  );

  journeyWithEachEngine("values of every JSON type arrive as they are", async (place, engine) => {
    const values = {
      text: `quotes " and \\ and $${"{not}"} %{interpolated}\nline two ü 🌱`,
      number: 1.5,
      flag: false,
      list: ["a", "b"],
      map: { deep: { deeper: [1, null, true] } },
    };
    const module = Object.keys(values)
      .map((name) => `variable "${name}" {\n  type = any\n}\n`)
      .join("")
      .concat(
        `output "kept" {\n  value = jsonencode([${Object.keys(values)
          .map((name) => `var.${name}`)
          .join(", ")}])\n}\n`,
      );
    const variables = Object.entries(values).map(([name, value]) => ({ name, value }));
    await place.apply(
      anEnvironment({ name: "values", engine, components: [{ name: "one", module, variables }], outputs: [output] }),
    );
    const ready = await place.untilReady("values");
    assert.deepEqual(JSON.parse(String(outputOf(ready, "kept"))), Object.values(values));
  });

  journeyWithEachEngine(
    "credentials reach the engine in their phases only, as variables and as files",
    async (place, engine) => {
      await place.secret("cloud", { CLOUD_TOKEN: "t0ken-of-the-cloud" });
      await place.secret("keys", { "id.pem": "PRIVATE-KEY-MATERIAL" });
      const file = `test "$(cat /terrarium/credentials/keys/id.pem)" = PRIVATE-KEY-MATERIAL`;
      const module = `
resource "terraform_data" "checked" {
  provisioner "local-exec" {
    command = ${JSON.stringify(`test "$CLOUD_TOKEN" = t0ken-of-the-cloud && ${file}`)}
  }
  provisioner "local-exec" {
    when    = destroy
    command = ${JSON.stringify(`test -z "$CLOUD_TOKEN" && ${file}`)}
  }
}
`;
      await place.apply(
        anEnvironment({
          name: "cloud",
          engine,
          retry: { limit: 0 },
          credentials: [
            { name: "cloud", secretRef: { name: "cloud" }, as: "Env", phases: ["Apply"] },
            { name: "keys", secretRef: { name: "keys" }, as: "Files", phases: ["Apply", "Destroy"] },
          ],
          components: [{ name: "one", module }],
        }),
      );
      await place.untilReady("cloud");
      await place.delete("cloud");
      await place.untilGone("cloud");
    },
  );

  journeyWithEachEngine(
    "outputs are written where they are asked for: the sensitive ones to the Secret, and to it alone",
    async (place, engine) => {
      const module = `
output "plain" { value = "for everybody" }
output "shape" { value = { a = [1, 2] } }
output "hidden" {
  value     = "h1dden-from-everybody"
  sensitive = true
}
`;
      const from = (name: string) => ({ name, valueFrom: { output: { component: "one", name } } });
      await place.apply(
        anEnvironment({
          name: "outputs",
          engine,
          components: [{ name: "one", module }],
          outputs: [from("plain"), from("shape"), from("hidden")],
          writeOutputsTo: { configMap: "told", secret: "untold" },
        }),
      );
      const ready = await place.untilReady("outputs");
      assert.doesNotMatch(JSON.stringify(ready.status), /h1dden/);
      const told = await place.find("ConfigMap", "told");
      assert.deepEqual(told?.data, { plain: "for everybody", shape: '{"a":[1,2]}' });
      const untold = await place.find("Secret", "untold");
      assert.deepEqual(Object.keys(untold?.data ?? {}), ["hidden"]);
      assert.equal(Buffer.from(untold?.data?.hidden ?? "", "base64").toString(), "h1dden-from-everybody");

      await place.delete("outputs");
      await place.untilGone("outputs");
    },
  );
});

/**
 * Waits until what is missing is named: within 10 s of the agent's start. How long a busy machine takes to start a pod is not ours, and where it has no
 * time for others either, the tries after that count: a delay of ours would be in each of them.
 */
async function named(place: Place, environment: string, missing: RegExp): Promise<ComponentLine> {
  const tooLate: string[] = [];
  const seen: (string | undefined)[] = [];
  while (tooLate.length < 3) {
    const says = ({ reason, message = "", run }: ComponentLine) =>
      reason === "InputMissing" && missing.test(message) && !seen.includes(run);
    const line = await place.untilComponent(environment, "one", says, { about: `to name ${missing}` });
    const seconds = await secondsUntilSaid(place, line);
    if (seconds <= 10) return line;
    tooLate.push(`${line.message} was said ${seconds} s after the agent's start`);
    seen.push(line.run);
  }
  assert.fail(tooLate.join("\n"));
}

async function secondsUntilSaid(place: Place, line: ComponentLine): Promise<number> {
  const run = (await place.runs("one")).find(({ metadata }) => metadata.name === line.run);
  assert.ok(run);
  const pod = await place.podOf(run);
  const agent = pod.status?.containerStatuses?.find(({ name }) => name === "agent");
  const { running, terminated } = agent?.state ?? {};
  const began = new Date(terminated?.startedAt ?? running?.startedAt ?? 0).getTime();
  return (Date.parse(run.status?.finishedAt ?? "") - began) / 1000;
}
