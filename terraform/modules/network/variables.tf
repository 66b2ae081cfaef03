variable "name" {
  description = "Prefix of every name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,31}$", var.name))
    error_message = "The name must be 3 to 32 lower-case letters, digits and hyphens, and begin with a letter."
  }
}

variable "cidr" {
  description = "The network's addresses, a block of /16 to /24. It must not overlap 10.42.0.0/15, which k3s gives to pods and services."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]), 0) >= 16 && try(tonumber(split("/", var.cidr)[1]), 99) <= 24
    error_message = "The block must be IPv4 and between /16 and /24."
  }

  validation {
    condition     = !can(regex("^10\\.(42|43)\\.", var.cidr))
    error_message = "10.42.0.0/16 and 10.43.0.0/16 are those of k3s's pods and services."
  }
}

variable "nat_gateway" {
  description = "Whether private subnets reach the internet, by a NAT gateway that is paid by the hour."
  type        = bool
  default     = false
}
