output "prediction_address" {
  description = "Where predictions are asked for: host:9696."
  value       = "${local.host}:9696"
}

output "dashboard_address" {
  description = "Where the dashboard is; null where it is not open."
  value       = var.dashboard_port == null ? null : "http://${local.host}:${var.dashboard_port}"
}

output "kubeconfig_command" {
  description = "Writes a kubeconfig and opens the way to the API, through SSM."
  value       = "terraform/modules/cluster/kubeconfig.sh ${local.group} ${data.aws_region.here.region}"
}

output "release_command" {
  description = "Installs what the release parameter says, where a person and not a deployment does it."
  value = join(" ", [
    "aws ssm send-command --region ${data.aws_region.here.region} --document-name AWS-RunShellScript",
    "--targets Key=tag:Name,Values=${var.name}-server --parameters 'commands=[\"systemctl start underwriter-release\"]'",
  ])
}

output "chart" {
  description = "Where the chart is pulled from."
  value       = local.release.chart
}

output "release_parameter" {
  description = "Name of the SSM parameter that says which chart is installed."
  value       = aws_ssm_parameter.release.name
}

output "release_parameter_arn" {
  description = "Its ARN, which the machines' role must be let read."
  value       = aws_ssm_parameter.release.arn
}

output "token_secret_arn" {
  description = "The secret with the cluster's token, which the machines' role must be let read."
  value       = aws_secretsmanager_secret.token.arn
}

output "state_volume_arn" {
  description = "The volume that the machines' role must be let attach; null with several servers."
  value       = one(aws_ebs_volume.state[*].arn)
}

output "address_arn" {
  description = "The address that the machines' role must be let take; null with several servers."
  value       = one(aws_eip.server[*].arn)
}

output "security_group_id" {
  description = "Security group of the machines."
  value       = aws_security_group.node.id
}

output "autoscaling_group_name" {
  description = "Auto Scaling group of the servers."
  value       = local.group
}

locals {
  host  = local.single ? aws_eip.server[0].public_ip : aws_lb.this[0].dns_name
  group = aws_autoscaling_group.node["server"].name
}
