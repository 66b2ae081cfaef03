variable "name" {
  description = "Prefix of every name, and the instance's identifier."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,31}$", var.name)) && !can(regex("--|-$", var.name))
    error_message = "The name must be 3 to 32 lower-case letters, digits and single hyphens, and begin with a letter."
  }
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, in two zones at least."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "RDS wants subnets in two zones."
  }
}

variable "allowed_security_group_ids" {
  description = "Security groups whose members may connect."
  type        = list(string)
  default     = []
}

variable "engine_version" {
  description = "PostgreSQL: a major version, of which AWS takes the newest and keeps it so."
  type        = string
  default     = "17"

  validation {
    condition     = can(regex("^1[5-9](\\.[0-9]+)?$", var.engine_version))
    error_message = "PostgreSQL 15 or newer."
  }
}

variable "instance_class" {
  description = "Size of the server."
  type        = string
  default     = "db.t4g.micro"

  validation {
    condition     = startswith(var.instance_class, "db.")
    error_message = "A class begins with db."
  }
}

variable "storage_gb" {
  description = "Storage at first."
  type        = number
  default     = 20

  validation {
    condition     = var.storage_gb >= 20
    error_message = "RDS gives 20 GB at least."
  }
}

variable "max_storage_gb" {
  description = "How far the storage grows by itself."
  type        = number
  default     = 100

  validation {
    condition     = var.max_storage_gb > var.storage_gb
    error_message = "It must be more than there is at first."
  }
}

variable "multi_az" {
  description = "Whether a standby in the other zone takes over."
  type        = bool
  default     = false
}

variable "backup_days" {
  description = "Days back to which the database can be restored, to the second."
  type        = number
  default     = 7

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35
    error_message = "1 to 35 days: without backups the audit is lost with the instance."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the instance."
  type        = bool
  default     = true
}

variable "final_snapshot" {
  description = "Whether a destroy leaves a snapshot behind."
  type        = bool
  default     = true
}

variable "alarms" {
  description = "Whether CloudWatch watches storage, CPU and credits."
  type        = bool
  default     = false
}

variable "alarm_actions" {
  description = "Whom alarms tell: ARNs of SNS topics."
  type        = list(string)
  default     = []
}
