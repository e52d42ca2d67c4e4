# The shop itself: sells what is in the catalog and keeps orders in the database.

variable "namespace" {
  type = string
}

variable "image" {
  description = "Any image with Node 20 or later."
  type        = string
}

variable "replicas" {
  type    = number
  default = 2
}

variable "database_url" {
  type      = string
  sensitive = true
}

variable "catalog" {
  description = "ConfigMap with products.json."
  type        = string
}

variable "catalog_checksum" {
  type = string
}

locals {
  labels = { "app.kubernetes.io/name" = "shop", "app.kubernetes.io/part-of" = "shop" }
  code   = file("${path.module}/server.mjs")
}

resource "kubectl_manifest" "database" {
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "Secret"
    metadata   = { name = "shop", namespace = var.namespace }
    data       = { DATABASE_URL = base64encode(var.database_url) }
  })
}

resource "kubectl_manifest" "code" {
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "shop", namespace = var.namespace }
    data       = { "server.mjs" = local.code }
  })
}

resource "kubectl_manifest" "service" {
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "Service"
    metadata   = { name = "shop", namespace = var.namespace }
    spec       = { selector = local.labels, ports = [{ port = 80, targetPort = 8080 }] }
  })
}

resource "kubectl_manifest" "deployment" {
  yaml_body = yamlencode({
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "shop", namespace = var.namespace, labels = local.labels }
    spec = {
      replicas = var.replicas
      selector = { matchLabels = local.labels }
      template = {
        metadata = {
          labels = local.labels
          annotations = {
            "shop/catalog"  = var.catalog_checksum
            "shop/code"     = sha256(local.code)
            "shop/database" = nonsensitive(substr(sha256(var.database_url), 0, 8))
          }
        }
        spec = {
          automountServiceAccountToken = false
          securityContext = {
            runAsNonRoot   = true
            runAsUser      = 1000
            seccompProfile = { type = "RuntimeDefault" }
          }
          containers = [{
            name            = "shop"
            image           = var.image
            imagePullPolicy = "IfNotPresent"
            command         = ["node", "/code/server.mjs"]
            envFrom         = [{ secretRef = { name = "shop" } }]
            readinessProbe  = { httpGet = { path = "/healthz", port = 8080 }, periodSeconds = 1 }
            resources       = { requests = { cpu = "10m", memory = "48Mi" }, limits = { memory = "128Mi" } }
            securityContext = {
              allowPrivilegeEscalation = false
              readOnlyRootFilesystem   = true
              capabilities             = { drop = ["ALL"] }
            }
            volumeMounts = [
              { name = "code", mountPath = "/code", readOnly = true },
              { name = "catalog", mountPath = "/catalog", readOnly = true },
            ]
          }]
          volumes = [
            { name = "code", configMap = { name = "shop" } },
            { name = "catalog", configMap = { name = var.catalog } },
          ]
        }
      }
    }
  })
  depends_on = [kubectl_manifest.code, kubectl_manifest.database]
}

output "url" {
  value      = "http://shop.${var.namespace}.svc"
  depends_on = [kubectl_manifest.deployment, kubectl_manifest.service]
}
