terraform {
  required_version = ">= 1.5"
  required_providers {
    kubectl = {
      source  = "gavinbunney/kubectl"
      version = "~> 1.19"
    }
  }
}

# The Environment puts the token of a ServiceAccount here (credentials, as: Files).
variable "cluster" {
  description = "How to reach the cluster: its address and a folder with token and ca.crt."
  type = object({
    host        = string
    credentials = string
  })
  default = {
    host        = "https://kubernetes.default.svc"
    credentials = "/terrarium/credentials/cluster"
  }
}

provider "kubectl" {
  host                   = var.cluster.host
  token                  = trimspace(file("${var.cluster.credentials}/token"))
  cluster_ca_certificate = file("${var.cluster.credentials}/ca.crt")
  load_config_file       = false
}
