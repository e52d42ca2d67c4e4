# A hundred plants, each a resource of its own, and the file that the shop sells them from.

variable "namespace" {
  type = string
}

variable "plants" {
  description = "How many plants are on sale."
  type        = number
  default     = 100
}

locals {
  families = ["fern", "moss", "orchid", "cactus", "ivy", "sundew", "bromeliad", "violet", "begonia", "aloe"]
  moods    = ["shy", "sunny", "sleepy", "bold", "gentle", "curious", "royal", "tiny", "wild", "quiet"]

  # The step of 37 goes through all combinations before it meets one again.
  names = [
    for number in range(var.plants) :
    "${local.moods[number * 37 % 100 % 10]} ${local.families[floor(number * 37 % 100 / 10)]}"
  ]
}

resource "terraform_data" "plant" {
  count = var.plants

  input = {
    id    = format("P%03d", count.index + 1)
    name  = local.names[count.index]
    price = 3 + count.index * 7 % 40
  }
}

locals {
  products = jsonencode(terraform_data.plant[*].output)
}

resource "kubectl_manifest" "products" {
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "catalog", namespace = var.namespace }
    data       = { "products.json" = local.products }
  })
}

output "config_map" {
  value      = "catalog"
  depends_on = [kubectl_manifest.products]
}

output "size" {
  value = length(terraform_data.plant)
}

output "checksum" {
  value = sha256(local.products)
}
