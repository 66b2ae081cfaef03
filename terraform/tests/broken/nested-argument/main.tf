# expected: An argument named "http_token" is not expected here
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

resource "aws_launch_template" "this" {
  metadata_options {
    http_token = "required"
  }
}
