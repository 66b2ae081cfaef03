# What secure.py must find: a door open to the world, and an exception without a reason.

resource "aws_security_group" "open" {
  description = "Everybody"
  vpc_id      = "vpc-1"

  ingress {
    description = "SSH"
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_s3_bucket" "silent" {
  #checkov:skip=CKV_AWS_18
  bucket = "silent"
}
