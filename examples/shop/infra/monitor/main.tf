# Buys a plant twice a minute, from inside the cluster, and is ready as long as that works. Since the provider waits
# for the rollout, the apply succeeds only when somebody could buy a plant.

variable "namespace" {
  type = string
}

variable "image" {
  description = "Any image with Node 20 or later."
  type        = string
}

variable "url" {
  description = "Address of the shop."
  type        = string
}

variable "products" {
  description = "How many plants the shop must offer."
  type        = number
}

locals {
  labels = { "app.kubernetes.io/name" = "monitor", "app.kubernetes.io/part-of" = "shop" }
  code   = file("${path.module}/customer.mjs")
}

resource "kubectl_manifest" "code" {
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "monitor", namespace = var.namespace }
    data       = { "customer.mjs" = local.code }
  })
}

resource "kubectl_manifest" "deployment" {
  yaml_body = yamlencode({
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "monitor", namespace = var.namespace, labels = local.labels }
    spec = {
      replicas = 1
      selector = { matchLabels = local.labels }
      template = {
        metadata = { labels = local.labels, annotations = { "shop/code" = sha256(local.code) } }
        spec = {
          automountServiceAccountToken = false
          securityContext = {
            runAsNonRoot   = true
            runAsUser      = 1000
            seccompProfile = { type = "RuntimeDefault" }
          }
          containers = [{
            name            = "customer"
            image           = var.image
            imagePullPolicy = "IfNotPresent"
            command         = ["node", "/code/customer.mjs"]
            env = [
              { name = "SHOP_URL", value = var.url },
              { name = "PRODUCTS", value = tostring(var.products) },
            ]
            readinessProbe = { httpGet = { path = "/", port = 8080 }, periodSeconds = 1 }
            resources      = { requests = { cpu = "10m", memory = "48Mi" }, limits = { memory = "128Mi" } }
            volumeMounts   = [{ name = "code", mountPath = "/code", readOnly = true }]
            securityContext = {
              allowPrivilegeEscalation = false
              readOnlyRootFilesystem   = true
              capabilities             = { drop = ["ALL"] }
            }
          }]
          volumes = [{ name = "code", configMap = { name = "monitor" } }]
        }
      }
    }
  })
  depends_on = [kubectl_manifest.code]

  timeouts {
    create = "3m"
  }
}

output "deployment" {
  value = kubectl_manifest.deployment.name
}
