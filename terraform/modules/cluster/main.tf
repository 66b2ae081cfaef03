# Machines: one launch template and one Auto Scaling group for each role.

data "aws_region" "here" {}

data "aws_vpc" "this" {
  id = var.vpc_id
}

# The state volume is in one zone, and so must its server be.
data "aws_subnets" "server" {
  filter {
    name   = "subnet-id"
    values = var.subnet_ids
  }
  filter {
    name   = "availability-zone"
    values = [var.availability_zone]
  }
}

locals {
  single    = var.server_count == 1
  datastore = local.single ? "sqlite" : "postgres"

  roles = merge(
    { server = { count = var.server_count, subnets = local.single ? data.aws_subnets.server.ids : var.subnet_ids } },
    var.agent_count == 0 ? {} : { agent = { count = var.agent_count, subnets = var.subnet_ids } },
  )
}

module "user_data" {
  source   = "./user-data"
  for_each = local.roles

  name               = var.name
  role               = each.key
  region             = data.aws_region.here.region
  architecture       = var.architecture
  k3s                = { version = var.k3s_version, checksum = var.k3s_checksum }
  helm               = { version = var.helm_version, checksum = var.helm_checksum }
  workload_role      = var.workload_role_arn
  token_secret       = aws_secretsmanager_secret.token.arn
  datastore          = local.datastore
  state_volume       = local.single && each.key == "server" ? aws_ebs_volume.state[0].id : ""
  address_allocation = local.single && each.key == "server" ? aws_eip.server[0].allocation_id : ""
  snapshots_bucket   = var.snapshots_bucket.name
  snapshot_schedule  = var.snapshot_schedule
  registry_host      = var.registry_host
  release_parameter  = aws_ssm_parameter.release.name
  namespace          = var.namespace
  prediction_service = var.prediction_service
  database           = { host = var.database.endpoint, port = var.database.port, master_secret_arn = var.database.master_secret_arn }
  postgres_image     = var.postgres_image
  passwords_version  = var.passwords_version
  secrets            = [for secret in var.secrets : merge(secret, { namespace = coalesce(secret.namespace, var.namespace) })]
  objects            = var.objects
  mlflow             = var.mlflow_image == "" ? null : { image = var.mlflow_image, artifacts_uri = "s3://${var.artifacts_bucket.name}/mlflow" }
}

resource "aws_launch_template" "node" {
  #checkov:skip=CKV_AWS_88: A server without an address would need a NAT gateway, which costs more than all of a small environment.
  for_each = local.roles

  name                   = "${var.name}-${each.key}"
  image_id               = "resolve:ssm:${coalesce(var.ami_parameter, "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${var.architecture}")}"
  instance_type          = each.key == "server" ? var.instance_type : coalesce(var.agent_instance_type, var.instance_type)
  user_data              = module.user_data[each.key].packed
  update_default_version = true

  iam_instance_profile {
    name = var.instance_profile_name
  }

  # One hop: pods are one further, and get a role of their own from the machine instead.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  network_interfaces {
    associate_public_ip_address = true # there is no NAT: with it a machine reaches AWS before it has its own address
    security_groups             = [aws_security_group.node.id]
    delete_on_termination       = true
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_size           = var.root_volume_size
      volume_type           = "gp3"
      encrypted             = true
      delete_on_termination = true
    }
  }

  dynamic "tag_specifications" {
    for_each = ["instance", "volume", "network-interface"]
    content {
      resource_type = tag_specifications.value
      tags          = { Name = "${var.name}-${each.key}", Cluster = var.name }
    }
  }
}

resource "aws_autoscaling_group" "node" {
  for_each = local.roles

  name                = "${var.name}-${each.key}"
  min_size            = each.value.count
  max_size            = local.single && each.key == "server" ? 1 : each.value.count + 1
  desired_capacity    = each.value.count
  vpc_zone_identifier = each.value.subnets
  target_group_arns   = [for group in aws_lb_target_group.this : group.arn]
  health_check_type   = "EC2"

  launch_template {
    id      = aws_launch_template.node[each.key].id
    version = aws_launch_template.node[each.key].latest_version
  }

  # A new template replaces the machines. The one server ends before the next begins: there is one state volume.
  instance_refresh {
    strategy = "Rolling"
    preferences {
      min_healthy_percentage = local.single && each.key == "server" ? 0 : 50
    }
  }

  tag {
    key                 = "Name"
    value               = "${var.name}-${each.key}"
    propagate_at_launch = true
  }
}
