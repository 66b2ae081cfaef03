output "prediction_address" {
  description = "Where predictions are asked for: host:9696."
  value       = module.cluster.prediction_address
}

output "dashboard_address" {
  description = "Where the dashboard is; null where it is not open."
  value       = module.cluster.dashboard_address
}

output "kubeconfig_command" {
  description = "How to get a kubeconfig."
  value       = module.cluster.kubeconfig_command
}

output "autoscaling_group_name" {
  description = "The group of the servers."
  value       = module.cluster.autoscaling_group_name
}

output "release_parameter" {
  description = "The parameter that says what is installed."
  value       = module.cluster.release_parameter
}

output "repository_urls" {
  description = "Where images and chart are pushed to, by name."
  value       = module.registry.repository_urls
}

output "registry_host" {
  description = "The registry to log in to."
  value       = module.registry.registry_host
}

output "data_bucket" {
  description = "Where loans are put."
  value       = module.storage.data_bucket.name
}

output "artifacts_bucket" {
  description = "Where versions are kept, and what a deployment hands over below deployments/."
  value       = module.storage.artifacts_bucket.name
}

output "publish_role_arn" {
  description = "The role in which GitHub pushes images and chart."
  value       = module.identity.publish_role_arn
}

output "deploy_role_arn" {
  description = "The role in which GitHub reaches the cluster after an apply."
  value       = module.identity.deploy_role_arn
}

output "secret_names" {
  description = "Secrets that people fill, by `aws secretsmanager put-secret-value`."
  value       = [for secret in aws_secretsmanager_secret.this : secret.name]
}
