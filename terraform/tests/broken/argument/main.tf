# expected: An argument named "instance_clas" is not expected here
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

resource "aws_db_instance" "this" {
  instance_class = "db.t4g.micro"
  instance_clas  = "db.t4g.micro"
}
