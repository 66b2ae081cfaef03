output "state_bucket" {
  description = "The bucket of Terraform's state: the variable TF_STATE_BUCKET of the repository."
  value       = aws_s3_bucket.state.id
}

output "region" {
  description = "The region: the variable AWS_REGION of the repository."
  value       = var.region
}

output "deploy_role_arns" {
  description = "Of each environment the role that applies: the variable AWS_DEPLOY_ROLE of that environment."
  value       = { for environment, roles in module.roles : environment => roles.deploy_role_arn }
}

output "plan_role_arns" {
  description = "Of each environment the role that plans on a pull request: variables of the repository."
  value       = { for environment, roles in module.roles : environment => roles.plan_role_arn }
}

output "permissions_boundary_arns" {
  description = "Of each environment the policy that bounds every role made in it."
  value       = { for environment, roles in module.roles : environment => roles.permissions_boundary_arn }
}
