# The providers inside the runner image. cli.tfrc names the same ones.
terraform {
  required_providers {
    kubectl = {
      source  = "gavinbunney/kubectl"
      version = "1.19.0"
    }
    local = {
      source  = "hashicorp/local"
      version = "1.4.0"
    }
    time = {
      source  = "hashicorp/time"
      version = "0.14.2"
    }
  }
}
