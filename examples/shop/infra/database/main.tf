# The orders: a small store that keeps them and answers only who knows the password.

variable "namespace" {
  type = string
}

variable "image" {
  description = "Any image with Node 20 or later."
  type        = string
}

variable "subnets" {
  description = "Zone to address range."
  type        = map(string)
}

variable "db_password" {
  type      = string
  sensitive = true

  validation {
    condition     = length(var.db_password) >= 12
    error_message = "The password of the database needs at least 12 characters."
  }
}

locals {
  labels = { "app.kubernetes.io/name" = "database", "app.kubernetes.io/part-of" = "shop" }
  code   = file("${path.module}/server.mjs")
  zone   = keys(var.subnets)[0]
}

resource "kubectl_manifest" "password" {
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "Secret"
    metadata   = { name = "database", namespace = var.namespace }
    data       = { password = base64encode(var.db_password) }
  })
}

resource "kubectl_manifest" "code" {
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "database", namespace = var.namespace }
    data       = { "server.mjs" = local.code }
  })
}

resource "kubectl_manifest" "service" {
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "Service"
    metadata   = { name = "database", namespace = var.namespace }
    spec       = { selector = local.labels, ports = [{ port = 80, targetPort = 8080 }] }
  })
}

resource "kubectl_manifest" "deployment" {
  yaml_body = yamlencode({
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "database", namespace = var.namespace, labels = local.labels }
    spec = {
      replicas = 1
      strategy = { type = "Recreate" }
      selector = { matchLabels = local.labels }
      template = {
        metadata = {
          labels = local.labels
          annotations = {
            "shop/zone" = local.zone
            "shop/code" = sha256(local.code)
            # Another password starts the pod again, without saying what it is.
            "shop/password" = nonsensitive(substr(sha256("shop ${var.db_password}"), 0, 8))
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
            name            = "database"
            image           = var.image
            imagePullPolicy = "IfNotPresent"
            command         = ["node", "/code/server.mjs"]
            env             = [{ name = "PASSWORD", valueFrom = { secretKeyRef = { name = "database", key = "password" } } }]
            readinessProbe  = { httpGet = { path = "/healthz", port = 8080 }, periodSeconds = 1 }
            resources       = { requests = { cpu = "10m", memory = "48Mi" }, limits = { memory = "128Mi" } }
            volumeMounts    = [{ name = "code", mountPath = "/code", readOnly = true }]
            securityContext = {
              allowPrivilegeEscalation = false
              readOnlyRootFilesystem   = true
              capabilities             = { drop = ["ALL"] }
            }
          }]
          volumes = [{ name = "code", configMap = { name = "database" } }]
        }
      }
    }
  })
  depends_on = [kubectl_manifest.code, kubectl_manifest.password]
}

output "url" {
  description = "Address with the password in it."
  value       = "http://shop:${urlencode(var.db_password)}@database.${var.namespace}.svc"
  sensitive   = true
  depends_on  = [kubectl_manifest.deployment, kubectl_manifest.service]
}

output "zone" {
  value = local.zone
}
