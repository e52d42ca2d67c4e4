/** Small modules in HCL. They need no provider but the one that is built into the engines, unless they say so. */

/** A resource that keeps a value, and an output that gives it. */
export function keeps(value: string): string {
  return `
resource "terraform_data" "kept" {
  input = ${JSON.stringify(value)}
}

output "kept" {
  value = terraform_data.kept.output
}
`;
}

/** The same for a variable, which the module then needs. */
export function keepsVariable(name: string, type = "string"): string {
  return `
variable "${name}" {
  type = ${type}
}

resource "terraform_data" "kept" {
  input = var.${name}
}

output "kept" {
  value = terraform_data.kept.output
}
`;
}

export function manyResources(count: number, text = "x"): string {
  return `
resource "terraform_data" "one" {
  count = ${count}
  input = "${text} \${count.index}"
}

output "count" {
  value = length(terraform_data.one)
}
`;
}

/**
 * A resource that tells the test, over HTTP, when it is created and destroyed, and waits for the answer. The test keeps
 * these requests as its ledger, and may hold one back for as long as it likes.
 */
export function reports(address: string, name: string, needs: readonly string[] = []): string {
  const after = needs.length === 0 ? "" : `depends_on = [${needs.map((need) => `terraform_data.${need}`).join(", ")}]`;
  return `
resource "terraform_data" "${name}" {
  input = { address = "${address}", name = "${name}" }
  ${after}

  provisioner "local-exec" {
    interpreter = ["/bin/bash", "-c"]
    command     = ${JSON.stringify(tell("create", "$NAME"))}
    environment = { ADDRESS = self.input.address, NAME = self.input.name }
  }

  provisioner "local-exec" {
    when        = destroy
    interpreter = ["/bin/bash", "-c"]
    command     = ${JSON.stringify(tell("destroy", "$NAME"))}
    environment = { ADDRESS = self.input.address, NAME = self.input.name }
  }
}
`;
}

/** A resource that takes so much of the pod's disk when it is created. */
export function fills(mebibytes: number, needs: readonly string[]): string {
  return `
resource "terraform_data" "fill" {
  depends_on = [${needs.map((need) => `terraform_data.${need}`).join(", ")}]

  provisioner "local-exec" {
    interpreter = ["/bin/bash", "-c"]
    command     = "head -c ${mebibytes}M /dev/zero > fill"
  }
}
`;
}

/** Two resources that report: the second one begins when the first is there. */
export function twoSteps(address: string): string {
  return reports(address, "first") + reports(address, "second", ["first"]);
}

/** bash speaks TCP by itself; the images have no curl. An answer other than 200 fails the command. */
function tell(what: "create" | "destroy", name: string): string {
  return [
    `host=\${ADDRESS%%:*}; rest=\${ADDRESS#*:}; port=\${rest%%/*}; path=\${rest#*/}`,
    `exec 3<>/dev/tcp/$host/$port`,
    `printf 'GET /%s/${what}/%s HTTP/1.0\\r\\n\\r\\n' "$path" "${name}" >&3`,
    `read -r _ status _ <&3`,
    `test "$status" = 200 || { echo "refused: $status"; exit 1; }`,
  ]
    .join("\n")
    .replaceAll("${", () => "$${");
}

/** Asks the world outside for `version` in every plan, by a data source: held back there, the plan hangs, until its provider gives up after 32 s. */
export function planAsks(outside: { readonly url: string; answerWith(what: string, body: string): void }): string {
  const facts = { major: "1", minor: "35", gitVersion: "v1.35.4", gitCommit: "none", platform: "linux/amd64" };
  outside.answerWith("version", JSON.stringify(facts));
  return `
terraform {
  required_providers {
    kubectl = { source = "gavinbunney/kubectl" }
  }
}

provider "kubectl" {
  host             = "${outside.url}"
  load_config_file = false
}

data "kubectl_server_version" "there" {}

output "version" {
  value = data.kubectl_server_version.there.version
}
`;
}

/** The same for `facts`, and nobody gives up: the http backend has no deadline. */
export function planWaits(outside: { readonly url: string; answerWith(what: string, body: string): void }): string {
  const state = { version: 4, serial: 1, lineage: "facts", outputs: {}, resources: [] };
  outside.answerWith("facts", JSON.stringify(state));
  return `
data "terraform_remote_state" "facts" {
  backend = "http"
  config  = { address = "${outside.url}/facts" }
}
`;
}
