output "instance_profile_name" {
  description = "What servers are started with."
  value       = aws_iam_instance_profile.node.name
}

output "node_role_arn" {
  description = "The servers' role."
  value       = aws_iam_role.node.arn
}

output "publish_role_arn" {
  description = "The role in which GitHub pushes images."
  value       = aws_iam_role.publish.arn
}

output "deploy_role_arn" {
  description = "The role in which GitHub reaches the cluster after an apply. Terraform's own is of terraform/bootstrap."
  value       = aws_iam_role.deploy.arn
}
