# expected: An argument named "cidrs" is not expected here
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
  cidrs  = "10.0.0.0/16"
}
