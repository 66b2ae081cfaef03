# expected: This object does not have an attribute named "vpc"
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

module "inner" {
  source = "./inner"
}

output "vpc" {
  value = module.inner.vpc
}
