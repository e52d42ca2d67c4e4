/** What a runner pod with the real engine says where a value is secret. */
import assert from "node:assert/strict";
import { assertNowhere, inline, runnerPods } from "./runner-pods.ts";

describe("a runner pod", function () {
  this.timeout(90_000);
  const start = runnerPods();

  it("shows a secret value nowhere, not even in the engine's error", async () => {
    const files = `
      variable "token" { type = string }
      variable "note" { type = string }
      resource "terraform_data" "a" {
        input = base64encode(var.token)
        lifecycle {
          precondition {
            condition     = length(var.note) > 1000
            error_message = "bad: \${nonsensitive(var.token)} \${jsonencode(var.note)} \${base64encode(var.token)} \${urlencode(var.note)}"
          }
        }
      }`;
    const token = "s3cr3t/value+with&odd<chars>";
    const note = "first line of the note\nsecond line of the note";
    const pod = await start({
      order: {
        ...inline(files),
        variables: [
          { name: "token", kind: "secret", secret: "shop", key: "token" },
          { name: "note", kind: "value", value: note, sensitive: true },
        ],
      },
      secrets: { "shop/token": token },
    });
    await pod.ended();
    assert.equal(pod.outcome()?.result, "Failed");
    assert.match(pod.outcome()?.message ?? "", /bad: \(sensitive\)/);
    for (const spelling of [
      token,
      JSON.stringify(token).slice(1, -1),
      btoa(token),
      "first line of the note",
      "second line",
      "first+line",
      "first%20line",
    ]) {
      assertNowhere(pod, spelling);
    }
  });

  it("calls an output sensitive that echoes a Secret, though the module does not", async () => {
    const files = `
      variable "token" { type = string }
      output "echo" { value = { url = "https://user:\${var.token}@example.com" } }
      output "plain" { value = "nothing secret" }`;
    const pod = await start({
      order: { ...inline(files), variables: [{ name: "token", kind: "secret", secret: "shop", key: "token" }] },
      secrets: { "shop/token": "a-very-secret-token" },
    });
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 0 }, pod.log());
    assert.deepEqual(
      pod.gateway.memory.result?.outputs.map(({ name, sensitive }) => [name, sensitive]),
      [
        ["echo", true],
        ["plain", false],
      ],
    );
    assertNowhere(pod, "a-very-secret-token");
  });
});
