# expected: does not support resource type "aws_s3_buckett"
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

resource "aws_s3_buckett" "this" {
  bucket = "loans"
}
