# Machines by mocks: what is open, how the state is kept, and what several servers need more.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
  mock_data "aws_vpc" {
    defaults = { cidr_block = "10.20.0.0/16" }
  }
  mock_data "aws_subnets" {
    defaults = { ids = ["subnet-1"] }
  }
}

variables {
  name                  = "test"
  vpc_id                = "vpc-1"
  subnet_ids            = ["subnet-1", "subnet-2"]
  availability_zone     = "eu-central-1a"
  allowed_cidrs         = ["192.0.2.0/24", "198.51.100.7/32"]
  instance_profile_name = "test-node"
  workload_role_arn     = "arn:aws:iam::123456789012:role/test-workload"
  k3s_version           = "v1.35.0+k3s1"
  k3s_checksum          = "a000000000000000000000000000000000000000000000000000000000000000"
  helm_version          = "v3.22.0"
  helm_checksum         = "b000000000000000000000000000000000000000000000000000000000000000"
  postgres_image        = "registry.example/postgres@sha256:c000000000000000000000000000000000000000000000000000000000000000"
  chart                 = "oci://registry.example/underwriter"
  chart_version         = "0.1.0"
  registry_host         = "registry.example"
  repository_urls       = { operator = "registry.example/operator", predictor = "registry.example/predictor", tasks = "registry.example/tasks" }
  artifacts_bucket      = { name = "artifacts", arn = "arn:aws:s3:::artifacts" }
  snapshots_bucket      = { name = "snapshots", arn = "arn:aws:s3:::snapshots" }
  database              = { endpoint = "database.example", port = 5432, master_secret_arn = "arn:master" }
}

run "one_server" {
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.door : rule.from_port == 9696 && rule.to_port == 9696])
    error_message = "Nothing but predictions comes in."
  }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.door : rule.cidr_ipv4]) == toset(["192.0.2.0/24", "198.51.100.7/32"])
    error_message = "From nowhere but where it is allowed."
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.inside : rule.referenced_security_group_id == aws_security_group.node.id])
    error_message = "The machines' own ports are open to machines alone."
  }

  assert {
    condition     = aws_launch_template.node["server"].metadata_options[0].http_tokens == "required" && aws_launch_template.node["server"].metadata_options[0].http_put_response_hop_limit == 1
    error_message = "IMDSv2 only, and out of the reach of pods."
  }

  assert {
    condition     = aws_launch_template.node["server"].block_device_mappings[0].ebs[0].encrypted == "true" && aws_ebs_volume.state[0].encrypted
    error_message = "Disks are encrypted."
  }

  assert {
    condition     = aws_autoscaling_group.node["server"].max_size == 1 && aws_autoscaling_group.node["server"].vpc_zone_identifier == toset(["subnet-1"])
    error_message = "One server, where its volume is."
  }

  assert {
    condition     = length(aws_lb.this) == 0 && !contains(keys(aws_autoscaling_group.node), "agent")
    error_message = "Nothing that costs more than one server needs."
  }

  assert {
    condition     = jsondecode(aws_ssm_parameter.release.value).values.artifacts.uri == "s3://artifacts/versions/"
    error_message = "Where versions are kept."
  }

  assert {
    condition     = jsondecode(aws_ssm_parameter.release.value).values.workloads.env == { AWS_REGION = "eu-central-1", AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = "/credentials" }
    error_message = "Pods know where their role is to be had."
  }
}

run "three_servers_and_agents" {
  variables {
    server_count   = 3
    agent_count    = 2
    dashboard_port = 8080
    chart_values   = { logLevel = "debug", workloads = { env = { HTTPS_PROXY = "http://proxy.example:3128" } } }
  }

  assert {
    condition     = keys(jsondecode(aws_ssm_parameter.release.value).values.workloads.env) == ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_REGION", "HTTPS_PROXY"]
    error_message = "A proxy takes no role away."
  }

  assert {
    condition     = jsondecode(aws_ssm_parameter.release.value).values.logLevel == "debug"
    error_message = "Values go over ours."
  }

  assert {
    condition     = length(aws_ebs_volume.state) == 0 && length(aws_eip.server) == 0 && length(aws_lb.this) == 1
    error_message = "The state is in RDS, the address at the load balancer."
  }

  assert {
    condition     = toset([for listener in aws_lb_listener.this : listener.port]) == toset([9696, 8080])
    error_message = "Predictions and the dashboard."
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.balanced : rule.referenced_security_group_id == aws_security_group.balancer[0].id])
    error_message = "Only the balancer reaches the machines."
  }

  assert {
    condition     = aws_autoscaling_group.node["agent"].desired_capacity == 2
    error_message = "Two agents."
  }
}

run "no_checksum" {
  command = plan

  variables {
    k3s_checksum = ""
  }

  expect_failures = [var.k3s_checksum]
}

run "an_image_by_tag" {
  command = plan

  variables {
    postgres_image = "registry.example/postgres:17"
  }

  expect_failures = [var.postgres_image]
}

run "mlflow_by_tag" {
  command = plan

  variables {
    mlflow_image = "registry.example/mlflow:3"
  }

  expect_failures = [var.mlflow_image]
}
