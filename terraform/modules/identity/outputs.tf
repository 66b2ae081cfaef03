output "instance_profile_name" {
  description = "What servers are started with."
  value       = aws_iam_instance_profile.node.name
  depends_on  = [aws_iam_role_policy.node] # SSM's agent that is refused at its start does not ask again for long
}

output "node_role_arn" {
  description = "The servers' role."
  value       = aws_iam_role.node.arn
}

output "workload_role_arn" {
  description = "The pods' role, which the servers' role takes for them."
  value       = aws_iam_role.workload.arn
}

output "publish_role_arn" {
  description = "The role in which GitHub pushes images."
  value       = aws_iam_role.publish.arn
}

output "deploy_role_arn" {
  description = "The role in which GitHub reaches the cluster after an apply. Terraform's own is of terraform/bootstrap."
  value       = aws_iam_role.deploy.arn
}
