# A network of two zones. Servers stand in the public subnets with addresses of their own, for a NAT gateway would cost
# more than all of a small environment; the database stands in the private ones, which lead nowhere.

data "aws_availability_zones" "here" {
  #checkov:skip=CKV_AWS_394: Two are taken, by name; a zone that AWS adds comes behind them.
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"] # no local zones
  }
}

locals {
  zones = slice(data.aws_availability_zones.here.names, 0, 2)
  # 10.20.0.0/16 becomes 10.20.0.0/20 and 10.20.16.0/20 (public), 10.20.128.0/20 and 10.20.144.0/20 (private).
  public  = { for i, zone in local.zones : zone => cidrsubnet(var.cidr, 4, i) }
  private = { for i, zone in local.zones : zone => cidrsubnet(var.cidr, 4, i + 8) }
}

resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_11: Flow logs cost more than the network; security groups name each peer, and who needs the logs adds them here.
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = var.name }
}

# The group that AWS gives to whatever names none: without rules, nothing reaches anything by accident.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.name}-unused" }
}

resource "aws_subnet" "public" {
  for_each = local.public

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value
  # What needs an address asks for one itself.
  map_public_ip_on_launch = false
  tags                    = { Name = "${var.name}-public-${each.key}" }
}

resource "aws_subnet" "private" {
  for_each = local.private

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value
  tags              = { Name = "${var.name}-private-${each.key}" }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = var.name }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.name}-public" }
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  subnet_id      = each.value.id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.name}-private" }
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  subnet_id      = each.value.id
  route_table_id = aws_route_table.private.id
}

# Buckets are reached without leaving AWS, and without charge.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${data.aws_region.here.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.public.id, aws_route_table.private.id]
  tags              = { Name = "${var.name}-s3" }
}

data "aws_region" "here" {}
