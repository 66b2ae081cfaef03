# expected: The argument "instance_class" is required
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

resource "aws_db_instance" "this" {
  engine = "postgres"
}
