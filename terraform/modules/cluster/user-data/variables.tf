variable "name" {
  description = "The environment's name; a prefix of everything that has one."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "Lower case letters, digits and dashes, 3 to 32 of them."
  }
}

variable "role" {
  description = "server or agent."
  type        = string

  validation {
    condition     = contains(["server", "agent"], var.role)
    error_message = "server or agent."
  }
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "architecture" {
  description = "arm64 or x86_64, as the instance type and the image have it."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "arm64 or x86_64."
  }
}

variable "k3s" {
  description = "Version (v1.35.0+k3s1), the SHA-256 of the release's file for this architecture, and another place to download it from."
  type        = object({ version = string, checksum = string, url = optional(string) })

  validation {
    condition     = can(regex("^v1\\.[0-9]+\\.[0-9]+\\+k3s[0-9]+$", var.k3s.version))
    error_message = "A release of k3s, such as v1.35.0+k3s1."
  }
  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.k3s.checksum))
    error_message = "The checksum of k3s is not known: scripts/pin looks it up. Nothing is installed without."
  }
}

variable "helm" {
  description = "Version (v3.22.0), the SHA-256 of the release's archive for this architecture, and another place to download it from."
  type        = object({ version = string, checksum = string, url = optional(string) })

  validation {
    condition     = can(regex("^v3\\.[0-9]+\\.[0-9]+$", var.helm.version))
    error_message = "A release of helm 3, such as v3.22.0."
  }
  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.helm.checksum))
    error_message = "The checksum of helm is not known: scripts/pin looks it up. Nothing is installed without."
  }
}

variable "token_secret" {
  description = "ARN of the secret that holds the cluster's token."
  type        = string
}

variable "workload_role" {
  description = "ARN of the pods' role, which the machine takes for them."
  type        = string
}

variable "datastore" {
  description = "sqlite, on the state volume of the one server, or postgres, in RDS, for several."
  type        = string
  default     = "sqlite"

  validation {
    condition     = contains(["sqlite", "postgres"], var.datastore)
    error_message = "sqlite or postgres."
  }
}

variable "state_volume" {
  description = "Id of the volume with the server's state; empty where there is none."
  type        = string
  default     = ""
}

variable "address_allocation" {
  description = "Id of the address that the server takes; empty where there is none."
  type        = string
  default     = ""
}

variable "snapshots_bucket" {
  description = "Name of the bucket for copies of the state."
  type        = string
}

variable "snapshot_schedule" {
  description = "When the state is copied to S3, as systemd writes times: hourly, *:0/15, daily."
  type        = string
  default     = "hourly"

  validation {
    condition     = can(regex("^[A-Za-z0-9*:/., -]+$", var.snapshot_schedule))
    error_message = "A time as systemd.time(7) writes it, such as hourly or *:0/15."
  }
}

variable "registry_host" {
  description = "Host of the registry in ECR: <account>.dkr.ecr.<region>.amazonaws.com."
  type        = string
}

variable "release_parameter" {
  description = "Name of the SSM parameter that says which chart is installed."
  type        = string
}

variable "namespace" {
  description = "Namespace of the models."
  type        = string
}

variable "prediction_service" {
  description = "Name of the PredictionService that port 9696 leads to."
  type        = string
}

variable "database" {
  description = "Host, port and ARN of the master's secret of RDS."
  type        = object({ host = string, port = number, master_secret_arn = string })
}

variable "ca_bundle_url" {
  description = "Where the certificate authorities of the database are; those of RDS in this region where it is null."
  type        = string
  default     = null
}

variable "postgres_image" {
  description = "An image with psql, by digest: it makes databases and roles."
  type        = string
}

variable "passwords_version" {
  description = "Another number gives the databases' roles other passwords."
  type        = number
  default     = 1
}

variable "secrets" {
  description = "What is copied from Secrets Manager into Secrets of the cluster."
  type = list(object({
    secret    = string
    namespace = string
    name      = string
    key       = string
    keys      = map(string)
  }))
  default = []
}

variable "objects" {
  description = "Objects that are made once the chart is installed, by a name of one's choice: YAML, one each."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.objects) : can(regex("^[a-z0-9-]+$", name))])
    error_message = "Names of lower case letters, digits and dashes."
  }
}

variable "mlflow" {
  description = "MLflow's image and where the files of runs go; null: no MLflow."
  type        = object({ image = string, artifacts_uri = string })
  default     = null
}
