variable "name" {
  description = "Prefix of every name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,31}$", var.name))
    error_message = "The name must be 3 to 32 lower-case letters, digits and hyphens, and begin with a letter."
  }
}

variable "images" {
  description = "What has a repository each: images, and the chart."
  type        = set(string)
  default     = ["charts/underwriter", "mlflow", "operator", "predictor", "tasks"]

  validation {
    condition     = alltrue([for image in var.images : can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", image))])
    error_message = "An image's name is lower-case letters and digits, parted by one of . _ / -."
  }
}

variable "kept_images" {
  description = "How many images of each name are kept, the newest. An image for two processors counts as three, and its signature as one."
  type        = number
  default     = 60

  validation {
    condition     = var.kept_images >= 10
    error_message = "Keep at least ten, or there is nothing to roll back to."
  }
}

variable "untagged_days" {
  description = "Days after which an image without a tag is deleted."
  type        = number
  default     = 14

  validation {
    condition     = var.untagged_days >= 1
    error_message = "At least one day."
  }
}

variable "force_delete" {
  description = "Whether a destroy deletes repositories that hold images. Without it, the destroy stops there."
  type        = bool
  default     = false
}
