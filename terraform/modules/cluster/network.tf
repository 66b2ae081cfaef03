# Who may connect to whom. Nothing comes in from outside but predictions (and the dashboard, where it is wanted); people
# reach the machines through SSM, which needs no port.

resource "aws_security_group" "node" {
  name        = "${var.name}-node"
  description = "Servers and agents of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-node" }

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  ports = merge({ prediction = 9696 }, var.dashboard_port == null ? {} : { dashboard = var.dashboard_port })

  # With a load balancer only that is open to the world, and the machines only to it.
  doors = {
    for pair in setproduct(keys(local.ports), var.allowed_cidrs) : "${pair[0]} ${pair[1]}" => { port = local.ports[pair[0]], cidr = pair[1] }
  }

  inside = {
    api     = { port = 6443, protocol = "tcp", what = "the Kubernetes API" }
    kubelet = { port = 10250, protocol = "tcp", what = "kubelet: logs and figures" }
    overlay = { port = 8472, protocol = "udp", what = "the pods' network" }
  }

  outside = {
    web      = { port = 443, cidr = "0.0.0.0/0", what = "AWS, registries, sources of loans" }
    database = { port = var.database.port, cidr = data.aws_vpc.this.cidr_block, what = "RDS" }
  }
}

resource "aws_vpc_security_group_ingress_rule" "door" {
  for_each = local.doors

  security_group_id = local.single ? aws_security_group.node.id : aws_security_group.balancer[0].id
  description       = each.key
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.cidr
}

resource "aws_vpc_security_group_ingress_rule" "inside" {
  for_each = local.inside

  security_group_id            = aws_security_group.node.id
  description                  = each.value.what
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = aws_security_group.node.id
}

resource "aws_vpc_security_group_egress_rule" "inside" {
  for_each = local.inside

  security_group_id            = aws_security_group.node.id
  description                  = each.value.what
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = aws_security_group.node.id
}

resource "aws_vpc_security_group_egress_rule" "outside" {
  for_each = local.outside

  security_group_id = aws_security_group.node.id
  description       = each.value.what
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.cidr
}
