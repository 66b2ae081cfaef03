variable "project" {
  description = "The project, as terraform/bootstrap names it."
  type        = string
  default     = "underwriter"
}

variable "environment" {
  description = "The environment, as GitHub's jobs name it."
  type        = string
}

variable "name" {
  description = "Prefix of every name, as terraform/bootstrap has it for the environment: its roles may touch nothing else."
  type        = string
}

variable "github_repository" {
  description = "The repository whose jobs publish and deploy, as owner/name."
  type        = string
}

variable "protected" {
  description = "Whether a destroy stops at data: the database, buckets and repositories that hold something."
  type        = bool
}

variable "cidr" {
  description = "The network's addresses."
  type        = string
  default     = "10.20.0.0/16"
}

variable "nat_gateway" {
  description = "Whether private subnets reach the internet."
  type        = bool
  default     = false
}

variable "allowed_cidrs" {
  description = "Who may ask for predictions (and see the dashboard)."
  type        = list(string)
}

variable "dashboard_port" {
  description = "Port of the dashboard; null: it stays closed."
  type        = number
  default     = null
}

variable "servers" {
  description = "The machines: processor, size, how many servers (1: state on a volume; 3: state in the database) and agents."
  type = object({
    architecture  = optional(string, "arm64")
    instance_type = optional(string, "t4g.small")
    count         = optional(number, 1)
    agents        = optional(number, 0)
    state_gb      = optional(number, 20)
  })
  default = {}

  validation {
    condition     = contains(["arm64", "x86_64"], var.servers.architecture)
    error_message = "arm64 or x86_64."
  }
}

variable "database" {
  description = "The database: size, standby, days of backups, alarms."
  type = object({
    instance_class = optional(string, "db.t4g.micro")
    multi_az       = optional(bool, false)
    backup_days    = optional(number, 7)
    alarms         = optional(bool, false)
  })
  default = {}
}

variable "alarm_actions" {
  description = "Whom alarms tell: ARNs of SNS topics."
  type        = list(string)
  default     = []
}

variable "snapshot_schedule" {
  description = "When the cluster's state is copied to S3."
  type        = string
  default     = "hourly"
}

variable "mlflow_digest" {
  description = "The image in <name>/mlflow by which an MLflow server runs on the cluster, as scripts/release/mlflow.sh prints it; empty: none."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(sha256:[0-9a-f]{64})?$", var.mlflow_digest))
    error_message = "By digest: sha256:…, which the workflow mlflow prints; a tag is not enough."
  }
}

variable "pins" {
  description = "Versions, checksums and digests of what servers download: terraform/pins.json, which scripts/pin fills."
  type = object({
    k3s            = object({ version = string, checksums = map(string) })
    helm           = object({ version = string, checksums = map(string) })
    postgres_image = string
  })

  validation {
    condition = alltrue([
      for program in [var.pins.k3s, var.pins.helm] : can(regex("^[0-9a-f]{64}$", program.checksums[var.servers.architecture]))
    ])
    error_message = "Not every program is pinned for this processor: scripts/pin looks versions and checksums up."
  }
}

variable "release" {
  description = "What is installed: the version, the images' tags or digests by name, and the chart (oci://…) where it is not the registry's own."
  type = object({
    version       = string
    chart         = optional(string)
    image_tags    = optional(map(string), {})
    image_digests = optional(map(string), {})
  })
}

variable "chart_values" {
  description = "More values for the chart."
  type        = any
  default     = {}
}

variable "objects" {
  description = "Models and services to begin with, by a name of one's choice: YAML, one object each."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Secrets that people fill, by name. An object becomes a key for each field, or for those of keys alone."
  type = map(object({
    description = string
    namespace   = optional(string)
    keys        = optional(map(string), {})
  }))
  default = {
    kaggle = {
      description = "The file kaggle.json that Kaggle gives, for sources kaggle://…"
      keys        = { KAGGLE_USERNAME = "username", KAGGLE_KEY = "key" }
    }
  }
}
