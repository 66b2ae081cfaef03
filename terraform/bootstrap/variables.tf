variable "project" {
  description = "The project: the tag that everything carries, and the prefix of what belongs to no environment."
  type        = string
  default     = "underwriter"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,20}$", var.project))
    error_message = "3 to 21 lower-case letters, digits and hyphens, the first a letter."
  }
}

variable "region" {
  description = "Where the state bucket and the environments are."
  type        = string
}

variable "github_repository" {
  description = "The repository whose jobs may plan and apply, as owner/name."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "owner/name, without a wildcard: another's jobs could take the roles."
  }
}

variable "environments" {
  description = "The environments, as GitHub's jobs name them, and the prefix of all names in each."
  type        = map(string)
  default     = { development = "underwriter-dev", production = "underwriter-prod" }

  validation {
    condition     = alltrue([for name in values(var.environments) : can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", name))])
    error_message = "A prefix is 3 to 20 lower-case letters, digits and hyphens: a target group's name has 32 at most."
  }

  validation {
    condition     = alltrue([for a in values(var.environments) : alltrue([for b in values(var.environments) : a == b || !startswith(a, b)])])
    error_message = "No prefix may begin with another: the one environment's role could then change the other's."
  }

  validation {
    condition = alltrue([for name in values(var.environments) : alltrue([
      for ours in ["state", "deploy", "plan", "boundary"] : !startswith("${var.project}-${ours}", name)
    ])])
    error_message = "A prefix must not be that of the roles and the bucket made here, or an environment could change its own rights."
  }
}
