/** The real engines, run by the real launcher, with their state in a backend of the test. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { applyArguments, initArguments, planArguments, showPlanArguments } from "../../operator/engine/arguments.ts";
import {
  backendEnvironment,
  backendOverride,
  backendOverrideName,
  initialisedBackend,
} from "../../operator/engine/backend.ts";
import { readDiagnostics } from "../../operator/engine/diagnostics.ts";
import { baseEnvironment } from "../../operator/engine/environment.ts";
import { explainFailure } from "../../operator/engine/failure.ts";
import { readModule } from "../../operator/engine/module.ts";
import { engineNames } from "../../operator/engine/names.ts";
import { parseOutputs } from "../../operator/engine/outputs.ts";
import { readPlan } from "../../operator/engine/plan.ts";
import { parseState } from "../../operator/engine/state.ts";
import { variableFile } from "../../operator/engine/variables.ts";
import { type EngineClient, EngineHeld } from "../../runner/engine-client.ts";
import { collector, startPod, type TestPod } from "../unit/launcher/pod.ts";
import { engineBinary } from "./pod-processes.ts";

interface Backend {
  readonly port: number;
  state: string | undefined;
  locked: boolean;
  refuseWrites: boolean;
  readonly close: () => void;
}

async function startBackend(): Promise<Backend> {
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    response.statusCode = 200;
    if (request.method === "LOCK") backend.locked = true;
    else if (request.method === "UNLOCK") backend.locked = false;
    else if (request.method === "GET") response.statusCode = backend.state === undefined ? 404 : 200;
    else if (backend.refuseWrites) response.statusCode = 500;
    else backend.state = body;
    response.end(request.method === "GET" ? backend.state : "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const port = address.port;
  const backend: Backend = { port, state: undefined, locked: false, refuseWrites: false, close: () => server.close() };
  return backend;
}

for (const engine of engineNames) {
  describe(`${engine}, run by the launcher`, () => {
    let pod: TestPod;
    let backend: Backend;
    let agent: EngineClient;

    afterEach(async () => {
      await pod.remove();
      backend.close();
    });

    async function prepare(files: Readonly<Record<string, string>>, values: ReadonlyMap<string, unknown> = new Map()) {
      backend = await startBackend();
      const override = backendOverrideName(Object.keys(files), engine);
      pod = startPod({ engine: await engineBinary(engine), source: { ...files, [override]: backendOverride } });
      const variables = variableFile(values, readModule(new Map(Object.entries(files)), engine));
      writeFileSync(join(pod.root, "in/variables.tfvars.json"), variables.text);
      writeFileSync(join(pod.root, "in/ephemeral.tfvars.json"), variables.ephemeralText ?? "{}");
      agent = await pod.agent();
      await agent.prepare("tree");
      return variables;
    }

    async function run(id: string, args: string[], stdoutFile?: string) {
      const seen = collector();
      const env = { ...baseEnvironment({ home: pod.root, temporary: pod.root }), ...backendEnvironment(backend) };
      const more = stdoutFile === undefined ? {} : { stdoutFile };
      const exit = await agent.run(
        pod.command(id, { args, env: { ...env, TF_HTTP_RETRY_MAX: "0" }, ...more }),
        seen.onLine,
      );
      return { ...exit, lines: seen.texts() };
    }

    const planOptions = () => ({
      mode: "Normal" as const,
      out: join(pod.out, "plan"),
      variableFile: join(pod.root, "in/variables.tfvars.json"),
    });

    async function planned(): Promise<void> {
      for (const [id, args] of [
        ["init", initArguments()],
        ["plan", planArguments(planOptions())],
      ] as const) {
        const { code, lines } = await run(id, args);
        assert.equal(code, 0, lines.join("\n"));
      }
    }

    it("keeps its state with us, whatever backend the module and its override files choose", async () => {
      const files = {
        "main.tf": `terraform {\n  backend "local" { path = "elsewhere" }\n}\noutput "o" { value = "x" }\n`,
        "zz_override.tf": `terraform {\n  cloud {\n    organization = "o"\n    workspaces { name = "w" }\n  }\n}\n`,
        "~z_override.tf.json": `{"terraform": {"backend": {"local": {"path": "there"}}}}`,
        ...(engine === "opentofu" ? { "~~_override.tofu": `terraform {\n  backend "local" {}\n}\n` } : {}),
      };
      await prepare(files);
      await planned();
      assert.equal(initialisedBackend(readFileSync(join(pod.work, ".terraform/terraform.tfstate"), "utf8")), "http");
      assert.equal((await run("show", showPlanArguments(planOptions().out), "plan.json")).code, 0);
      assert.equal(readPlan(JSON.parse(readFileSync(join(pod.out, "plan.json"), "utf8"))).isEmpty, false);
      assert.equal((await run("apply", applyArguments({ plan: planOptions().out }))).code, 0);
      assert.deepEqual(
        parseOutputs(backend.state ?? "").map(({ name, value }) => [name, value]),
        [["o", "x"]],
      );
      assert.equal(backend.locked, false);
      assert.deepEqual(
        ["elsewhere", "there", "terraform.tfstate"].filter((name) => existsSync(join(pod.work, name))),
        [],
      );
    });

    it("takes numbers over 2^53, booleans and null from strings, exactly", async () => {
      const declared = `variable "n" { type = number }\nvariable "b" { type = bool }\nvariable "z" { type = list(string) }\nvariable "s" {}\n`;
      const outputs = `output "n" { value = format("%d", var.n) }\noutput "b" { value = var.b }\noutput "z" { value = var.z == null }\noutput "s" { value = var.s }\n`;
      const values = new Map([
        ["n", "9007199254740993"],
        ["b", "true"],
        ["z", "null"],
        ["s", "null"],
      ]);
      await prepare({ "main.tf": declared + outputs }, values);
      await planned();
      assert.equal((await run("apply", applyArguments({ plan: planOptions().out }))).code, 0);
      const found = Object.fromEntries(parseOutputs(backend.state ?? "").map(({ name, value }) => [name, value]));
      assert.deepEqual(found, { n: "9007199254740993", b: true, z: true, s: "null" });
    });

    it("saves its state when the container is ended in an apply, and releases the lock", async () => {
      const slow = `resource "terraform_data" "b" {\n  depends_on = [terraform_data.a]\n  provisioner "local-exec" { command = "touch begun; exec sleep 2" }\n}\n`;
      const last = `resource "terraform_data" "c" { depends_on = [terraform_data.b] }\n`;
      await prepare({ "main.tf": `resource "terraform_data" "a" {}\n${slow}${last}` });
      await planned();
      const applying = run("apply", applyArguments({ plan: planOptions().out }));
      while (!existsSync(join(pod.work, "begun"))) await new Promise((resolve) => setTimeout(resolve, 20));
      pod.launcher.kill("SIGTERM");
      assert.equal((await applying).code, 1);
      const { addresses } = parseState(backend.state ?? "");
      assert.ok(addresses.includes("terraform_data.a") && !addresses.includes("terraform_data.c"), addresses.join());
      assert.equal(backend.locked, false);
    });

    it("leaves the only copy of a state in a file when the backend refuses it, and the launcher guards it", async () => {
      await prepare({ "main.tf": `resource "terraform_data" "a" {}\n` });
      await planned();
      backend.refuseWrites = true;
      const exit = await run("apply", applyArguments({ plan: planOptions().out }));
      assert.equal(explainFailure("Apply", exit, readDiagnostics(exit.lines)).reason, "StateWriteFailed");
      assert.deepEqual(parseState(readFileSync(join(pod.work, "errored.tfstate"), "utf8")).addresses, [
        "terraform_data.a",
      ]);
      await assert.rejects(agent.finish({ acknowledgeErroredState: false, exitCode: 0 }), EngineHeld);
    });

    it("reads the same module files as we do", async () => {
      const files = {
        "a.tf": 'output "a" { value = "tf" }\n',
        "a.tofu": 'output "a_tofu" { value = "tofu" }\n',
        "b.tf.json": '{"output": {"b": {"value": 1}}}',
        ".c.tf": 'output "c" { value = 1 }\n',
        "d.tf~": 'output "d" { value = 1 }\n',
        "override.tf": 'output "b" {\n  sensitive = true\n}\n',
      };
      await prepare(files);
      await planned();
      assert.equal((await run("apply", applyArguments({ plan: planOptions().out }))).code, 0);
      const real = parseOutputs(backend.state ?? "").map(({ name, sensitive }) => ({ name, sensitive }));
      const { outputs } = readModule(new Map(Object.entries(files)), engine);
      assert.deepEqual(
        [...outputs].sort((x, y) => (x.name < y.name ? -1 : 1)),
        real,
      );
    });

    if (engine === "opentofu") {
      it("takes ephemeral variables again at apply, and no others", async () => {
        const module = `variable "e" {\n  type = string\n  ephemeral = true\n}\nvariable "s" {}\noutput "s" { value = var.s }\n`;
        const { ephemeralText } = await prepare(
          { "main.tf": module },
          new Map([
            ["e", "x"],
            ["s", "y"],
          ]),
        );
        assert.deepEqual(JSON.parse(ephemeralText ?? ""), { e: "x" });
        await planned();
        const ephemeral = join(pod.root, "in/ephemeral.tfvars.json");
        const exit = await run("apply", applyArguments({ plan: planOptions().out, variableFile: ephemeral }));
        assert.equal(exit.code, 0, exit.lines.join("\n"));
      });
    }
  }).timeout(30_000);
}
