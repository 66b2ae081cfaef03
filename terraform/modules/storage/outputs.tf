output "data_bucket" {
  description = "Where loans are put."
  value       = { name = aws_s3_bucket.this["data"].id, arn = local.arns["data"] }
}

output "artifacts_bucket" {
  description = "Where versions, reports and MLflow's files are kept."
  value       = { name = aws_s3_bucket.this["artifacts"].id, arn = local.arns["artifacts"] }
}

output "snapshots_bucket" {
  description = "Where snapshots of the cluster's state are kept."
  value       = { name = aws_s3_bucket.this["snapshots"].id, arn = local.arns["snapshots"] }
}
