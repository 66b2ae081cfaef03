variable "region" {
  description = "AWS region."
  type        = string
}

variable "github_repository" {
  description = "The repository whose jobs publish and deploy, as owner/name."
  type        = string
}

variable "allowed_cidrs" {
  description = "Who may ask for predictions: networks such as 192.0.2.0/24."
  type        = list(string)
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

variable "alarm_actions" {
  description = "Whom alarms tell: ARNs of SNS topics."
  type        = list(string)
  default     = []
}
