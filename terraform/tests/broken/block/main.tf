# expected: Blocks of type "metadata_option" are not expected here
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

resource "aws_launch_template" "this" {
  metadata_option {
    http_tokens = "required"
  }
}
