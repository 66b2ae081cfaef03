variable "name" {
  description = "The environment's name; a prefix of everything that has one."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "Lower case letters, digits and dashes, 3 to 20 of them: a target group's name has 32 at most."
  }
}

# Where

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Public subnets: there is no NAT by default."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "At least one."
  }
}

variable "availability_zone" {
  description = "Zone of the state volume, and so of the one server."
  type        = string
}

variable "allowed_cidrs" {
  description = "Who may ask for predictions on port 9696 (and see the dashboard)."
  type        = list(string)

  validation {
    condition     = alltrue([for cidr in var.allowed_cidrs : can(cidrhost(cidr, 0))])
    error_message = "Networks such as 192.0.2.0/24."
  }
}

variable "dashboard_port" {
  description = "Port of the dashboard to open to allowed_cidrs; null: it stays closed."
  type        = number
  default     = null
}

# Machines

variable "architecture" {
  description = "arm64 or x86_64, as the instance type has it."
  type        = string
  default     = "arm64"
}

variable "instance_type" {
  description = "Of the servers."
  type        = string
  default     = "t4g.small"
}

variable "agent_instance_type" {
  description = "Of the agents; null: as the servers."
  type        = string
  default     = null
}

variable "server_count" {
  description = "1, with its state in SQLite on a volume of its own, or several, with their state in RDS."
  type        = number
  default     = 1

  validation {
    condition     = var.server_count >= 1 && var.server_count <= 5
    error_message = "1 to 5."
  }
}

variable "agent_count" {
  description = "Machines beside the servers that only run pods."
  type        = number
  default     = 0

  validation {
    condition     = var.agent_count >= 0 && var.agent_count <= 50
    error_message = "0 to 50."
  }
}

variable "ami_parameter" {
  description = "Public SSM parameter that names the image; null: the newest Amazon Linux 2023 of the architecture."
  type        = string
  default     = null
}

variable "root_volume_size" {
  description = "GiB of a machine's own disk."
  type        = number
  default     = 8
}

variable "state_volume_size" {
  description = "GiB of the disk that keeps the server's state, its images and what pods spool."
  type        = number
  default     = 20
}

variable "instance_profile_name" {
  description = "The role of the machines."
  type        = string
}

variable "workload_role_arn" {
  description = "The role of the pods, which that of the machines may take."
  type        = string
}

variable "deletion_protection" {
  description = "Keep a copy of the state volume and a month's grace for the token when the cluster is destroyed."
  type        = bool
  default     = false
}

# Programs; scripts/pin looks their checksums up, for the architecture.

variable "k3s_version" {
  description = "Such as v1.35.0+k3s1; Kubernetes 1.33 or newer."
  type        = string
}

variable "k3s_checksum" {
  description = "SHA-256 of the release's file k3s-arm64 (or k3s); refused where it is empty."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.k3s_checksum))
    error_message = "The checksum of k3s is not known: scripts/pin looks it up. Nothing is installed without."
  }
}

variable "helm_version" {
  description = "Such as v3.22.0."
  type        = string
}

variable "helm_checksum" {
  description = "SHA-256 of helm-<version>-linux-arm64.tar.gz (or amd64); refused where it is empty."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.helm_checksum))
    error_message = "The checksum of helm is not known: scripts/pin looks it up. Nothing is installed without."
  }
}

variable "postgres_image" {
  description = "An image with psql for the Jobs that make databases, by digest."
  type        = string

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.postgres_image))
    error_message = "By digest: <repository>@sha256:… (scripts/pin looks it up)."
  }
}

variable "mlflow_image" {
  description = "MLflow's image (terraform/mlflow), by digest; empty: no MLflow."
  type        = string
  default     = ""

  validation {
    condition     = var.mlflow_image == "" || can(regex("@sha256:[0-9a-f]{64}$", var.mlflow_image))
    error_message = "By digest: <repository>@sha256:…, as scripts/release/mlflow.sh prints it."
  }
}

# The release

variable "chart" {
  description = "The chart: oci://<host>/<repository>."
  type        = string
}

variable "chart_version" {
  description = "Version of the chart."
  type        = string
}

variable "chart_values" {
  description = "More values for the chart, over ours."
  type        = any
  default     = {}
}

variable "registry_host" {
  description = "Host of the registry in ECR."
  type        = string
}

variable "repository_urls" {
  description = "Repositories of the images operator, predictor and tasks."
  type        = map(string)
}

variable "image_tags" {
  description = "Tags of the images by name; the chart's own version where one is missing."
  type        = map(string)
  default     = {}
}

variable "image_digests" {
  description = "Digests of the images by name; they win over tags."
  type        = map(string)
  default     = {}
}

# What it works with

variable "artifacts_bucket" {
  description = "Versions of models, and the files of MLflow's runs."
  type        = object({ name = string, arn = string })
}

variable "snapshots_bucket" {
  description = "Copies of the cluster's state."
  type        = object({ name = string, arn = string })
}

variable "snapshot_schedule" {
  description = "When the state is copied to S3, as systemd writes times."
  type        = string
  default     = "hourly"
}

variable "database" {
  description = "RDS: host, port, and the secret in which RDS keeps the master's password."
  type        = object({ endpoint = string, port = number, master_secret_arn = string })
}

variable "passwords_version" {
  description = "Raise it to give the databases' roles other passwords."
  type        = number
  default     = 1
}

variable "namespace" {
  description = "Namespace of the models."
  type        = string
  default     = "lending"
}

variable "prediction_service" {
  description = "Name of the PredictionService that port 9696 leads to."
  type        = string
  default     = "loan-api"
}

variable "secrets" {
  description = <<-EOT
    Secrets Manager's secrets that are copied into Secrets of the cluster: by name or ARN, into which namespace (that of
    the models where none is given) and under which name. An object becomes a key for each field, or for those of keys
    alone ({KAGGLE_USERNAME = "username"}); any other text becomes one key.
  EOT
  type = list(object({
    secret    = string
    name      = string
    namespace = optional(string)
    key       = optional(string, "value")
    keys      = optional(map(string), {})
  }))
  default = []
}

variable "objects" {
  description = "Models and services to begin with, by a name of one's choice: YAML, one object each. Made once, never changed again."
  type        = map(string)
  default     = {}
}
