import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { linesWith, now, type Position } from "./support/audit.ts";
import { anEnvironment, fromSecret } from "./support/environments.ts";
import { journeys, journeyWithEachEngine } from "./support/journey.ts";
import { operatorLogs } from "./support/operator-pods.ts";
import type { Place } from "./support/place.ts";

/** What may leak, in the spellings in which engines and shells print it. */
function canary(): { readonly value: string; readonly spellings: readonly string[] } {
  const value = `c4nary-${randomBytes(12).toString("hex")}"\\&/end`;
  const base64 = Buffer.from(value).toString("base64");
  const spellings = [value, JSON.stringify(value).slice(1, -1), value.slice(0, 31), base64, base64.slice(0, 36)];
  return { value, spellings };
}

/** Everything in the namespace but Secrets, all logs, and the audit log. */
async function appearsNowhere(place: Place, spellings: readonly string[], auditFrom: Position): Promise<void> {
  const kinds = "environments,runs,pods,configmaps,events,events.events.k8s.io,serviceaccounts";
  const pods = await place.pods();
  const logs = pods.map(({ metadata }) =>
    place.kubectl(["logs", metadata.name, "--all-containers", "--ignore-errors"]),
  );
  const texts = await Promise.all([place.kubectl(["get", kinds, "-o", "yaml"]), operatorLogs(place), ...logs]);
  for (const spelling of spellings) {
    for (const [index, text] of texts.entries()) {
      const at = text.indexOf(spelling);
      const where = ["objects", "the operator's logs"][index] ?? `the log of ${pods[index - 2]?.metadata.name}`;
      assert.equal(at, -1, `${where} tell the secret: …${text.slice(Math.max(0, at - 300), at)}<here>`);
    }
  }
  assert.deepEqual(await linesWith(place, auditFrom, spellings), []);
}

const leaks = {
  "a condition that quotes it": `
variable "password" {
  type = string
  validation {
    condition     = length(var.password) > 1000
    error_message = "The password \${var.password} is too short."
  }
}
`,
  "a command that prints it and fails": `
variable "password" {
  type = string
}
resource "terraform_data" "leak" {
  provisioner "local-exec" {
    command     = "echo \\"it is $P\\"; echo \\"it is $P\\" >&2; printf %s \\"$P\\" | base64 -w0; exit 1"
    environment = { P = var.password }
  }
}
`,
  "an address that holds it": `
variable "password" {
  type = string
}
resource "terraform_data" "leak" {
  for_each = toset([var.password])
  provisioner "local-exec" {
    command = "exit 1"
  }
}
`,
  "a credential that a command prints": `
variable "password" {
  type    = string
  default = ""
}
resource "terraform_data" "leak" {
  provisioner "local-exec" {
    command = "echo \\"$CLOUD_PASSWORD\\"; exit 1"
  }
}
`,
} as const;

journeys("secrets", () => {
  for (const [title, module] of Object.entries(leaks)) {
    journeyWithEachEngine(`${title}: the value appears nowhere outside of Secrets`, async (place, engine) => {
      const from = await now(place);
      const { value, spellings } = canary();
      await place.secret("login", { password: value });
      await place.secret("cloud", { CLOUD_PASSWORD: value });
      await place.apply(
        anEnvironment({
          name: "leaky",
          engine,
          retry: { limit: 0 },
          credentials: [{ name: "cloud", secretRef: { name: "cloud" }, as: "Env" }],
          components: [
            {
              name: "one",
              module: module,
              variables: [fromSecret("password", "login", "password")],
            },
          ],
        }),
      );
      const run = await place.untilRunEnds("one", 1);
      assert.equal(run.status?.outcome?.result, "Failed", "the module is made to fail");
      await appearsNowhere(place, spellings, from);
      const [pod] = await place.pods("one");
      assert.ok(pod, "the pod is there");
      assert.match(await place.logs(pod), /\(sensitive\)/, "the log shows that something was left out");
      assert.match(run.status?.outcome?.message ?? "", /\(sensitive\)/, "and so does the message");
    });
  }
});
