# Where the shop lives: a namespace that lets nobody in but its own pods, and the address plan that the others use.

variable "namespace" {
  description = "Namespace that is made for the shop."
  type        = string
}

variable "region" {
  type = string
}

variable "cidr" {
  description = "Address range that is divided among the zones."
  type        = string
  default     = "10.20.0.0/16"
}

variable "zones" {
  type    = list(string)
  default = ["a", "b", "c"]
}

locals {
  subnets = { for index, zone in var.zones : "${var.region}${zone}" => cidrsubnet(var.cidr, 8, index) }
}

resource "time_static" "opened" {}

resource "kubectl_manifest" "namespace" {
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "Namespace"
    metadata = {
      name = var.namespace
      labels = {
        "app.kubernetes.io/part-of"          = "shop"
        "pod-security.kubernetes.io/enforce" = "restricted"
      }
    }
  })
  # Whoever destroys the network waits until everything in the namespace is gone.
  wait = true
}

resource "kubectl_manifest" "plan" {
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "network", namespace = var.namespace }
    data       = { region = var.region, "subnets.json" = jsonencode(local.subnets) }
  })
  depends_on = [kubectl_manifest.namespace]
}

resource "kubectl_manifest" "own_pods_only" {
  yaml_body = yamlencode({
    apiVersion = "networking.k8s.io/v1"
    kind       = "NetworkPolicy"
    metadata   = { name = "own-pods-only", namespace = var.namespace }
    spec = {
      podSelector = {}
      policyTypes = ["Ingress"]
      ingress     = [{ from = [{ podSelector = {} }] }]
    }
  })
  depends_on = [kubectl_manifest.namespace]
}

output "namespace" {
  value      = var.namespace
  depends_on = [kubectl_manifest.namespace]
}

output "subnets" {
  description = "Zone to address range."
  value       = local.subnets
}

output "opened_at" {
  value = time_static.opened.rfc3339
}
