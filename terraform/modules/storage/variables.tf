variable "name" {
  description = "Prefix of every name. The account's number follows in a bucket's name, for these are shared by the world."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,31}$", var.name))
    error_message = "The name must be 3 to 32 lower-case letters, digits and hyphens, and begin with a letter."
  }
}

variable "noncurrent_days" {
  description = "Days for which a replaced or deleted object can still be had."
  type        = number
  default     = 30

  validation {
    condition     = var.noncurrent_days >= 1 && floor(var.noncurrent_days) == var.noncurrent_days
    error_message = "At least one whole day."
  }
}

variable "snapshot_days" {
  description = "Days for which a snapshot of the cluster's state is kept."
  type        = number
  default     = 14

  validation {
    condition     = var.snapshot_days >= 1 && floor(var.snapshot_days) == var.snapshot_days
    error_message = "At least one whole day."
  }
}

variable "force_destroy" {
  description = "Whether a destroy deletes buckets that hold something. Without it, the destroy stops there."
  type        = bool
  default     = false
}
