output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "Subnets with a way to the internet, one a zone, in the order of availability_zones."
  value       = [for zone in local.zones : aws_subnet.public[zone].id]
  depends_on  = [aws_route.internet, aws_route_table_association.public] # whoever stands in them finds the way there
}

output "private_subnet_ids" {
  description = "Subnets without one, in the same order."
  value       = [for zone in local.zones : aws_subnet.private[zone].id]
}

output "availability_zones" {
  description = "The two zones."
  value       = local.zones
}
