mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
  }
}

variables {
  name = "underwriter-test"
}

run "two_zones_and_no_nat" {
  assert {
    condition     = output.availability_zones == tolist(["eu-central-1a", "eu-central-1b"])
    error_message = "Two zones."
  }

  assert {
    condition     = length(distinct(concat(values(local.public), values(local.private)))) == 4
    error_message = "Four blocks of addresses."
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_route.nat) == 0
    error_message = "A NAT gateway costs more than all of a small environment."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : !subnet.map_public_ip_on_launch])
    error_message = "Nothing gets an address unasked."
  }

  assert {
    condition     = aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway"
    error_message = "Buckets are reached without charge."
  }
}

run "nat_where_wanted" {
  variables {
    nat_gateway = true
  }

  assert {
    condition     = aws_route.nat[0].route_table_id == aws_route_table.private.id
    error_message = "The way out is that of the private subnets."
  }
}

run "not_the_pods_addresses" {
  command = plan

  variables {
    cidr = "10.42.0.0/16"
  }

  expect_failures = [var.cidr]
}

run "room_for_subnets" {
  command = plan

  variables {
    cidr = "10.20.0.0/26"
  }

  expect_failures = [var.cidr]
}
