output "prediction_address" {
  description = "Where predictions are asked for: host:9696."
  value       = module.underwriter.prediction_address
}

output "dashboard_address" {
  description = "Where the dashboard is; null where it is not open."
  value       = module.underwriter.dashboard_address
}

output "kubeconfig_command" {
  description = "How to get a kubeconfig."
  value       = module.underwriter.kubeconfig_command
}

# What deploy.yml and release.yml work with.
output "delivery" {
  description = "Where GitHub's jobs push and deploy, and in which roles."
  value = {
    autoscaling_group = module.underwriter.autoscaling_group_name
    artifacts_bucket  = module.underwriter.artifacts_bucket
    data_bucket       = module.underwriter.data_bucket
    deploy_role_arn   = module.underwriter.deploy_role_arn
    publish_role_arn  = module.underwriter.publish_role_arn
    registry_host     = module.underwriter.registry_host
    release_parameter = module.underwriter.release_parameter
    repository_urls   = module.underwriter.repository_urls
  }
}

output "secret_names" {
  description = "Secrets that people fill, by `aws secretsmanager put-secret-value`."
  value       = module.underwriter.secret_names
}
