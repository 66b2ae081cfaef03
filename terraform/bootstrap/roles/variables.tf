variable "project" {
  description = "The project, as everything is tagged."
  type        = string
}

variable "environment" {
  description = "The environment, as GitHub's jobs name it and everything is tagged."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.environment))
    error_message = "2 to 20 lower-case letters, digits and hyphens, the first a letter."
  }
}

variable "name" {
  description = "Prefix of every name in the environment."
  type        = string
}

variable "github_repository" {
  description = "The repository whose jobs may be these roles, as owner/name."
  type        = string
}

variable "issuer_arn" {
  description = "The OpenID Connect provider of GitHub."
  type        = string
}

variable "state_bucket_arn" {
  description = "The bucket of Terraform's state."
  type        = string
}
