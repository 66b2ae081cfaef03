output "deploy_role_arn" {
  description = "The role that applies."
  value       = aws_iam_role.deploy.arn
}

output "plan_role_arn" {
  description = "The role that plans."
  value       = aws_iam_role.plan.arn
}

output "permissions_boundary_arn" {
  description = "The policy that bounds every role made in the environment."
  value       = aws_iam_policy.boundary.arn
}
