# expected: Inappropriate value for attribute "allocated_storage": a number is required
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

resource "aws_db_instance" "this" {
  instance_class    = "db.t4g.micro"
  allocated_storage = "much"
}
