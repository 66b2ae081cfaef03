variable "name" {
  description = "Prefix of every name, and what servers, volumes and addresses carry as their tag Cluster."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,31}$", var.name))
    error_message = "The name must be 3 to 32 lower-case letters, digits and hyphens, and begin with a letter."
  }
}

variable "environment" {
  description = "The environment that GitHub's jobs name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.environment))
    error_message = "2 to 20 lower-case letters, digits and hyphens, the first a letter."
  }
}

variable "github_repository" {
  description = "The repository whose jobs may be the roles, as owner/name."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "owner/name, without a wildcard: another's jobs could take the roles."
  }
}

variable "permissions_boundary_arn" {
  description = "The policy that bounds every role, of terraform/bootstrap. Its deploy role makes no role without."
  type        = string
}

variable "data_bucket_arn" {
  description = "The bucket that servers read loans from."
  type        = string
}

variable "artifacts_bucket_arn" {
  description = "The bucket that servers keep artifacts in."
  type        = string
}

variable "snapshots_bucket_arn" {
  description = "The bucket that servers keep snapshots in."
  type        = string
}

variable "repository_arns" {
  description = "Image repositories: servers pull from them, GitHub pushes to them."
  type        = list(string)

  validation {
    condition     = length(var.repository_arns) > 0
    error_message = "At least one repository."
  }
}

variable "secret_arns" {
  description = "Secrets that servers may read."
  type        = list(string)
  default     = []
}
