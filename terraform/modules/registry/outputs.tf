output "repository_urls" {
  description = "Where each image and the chart is pulled from, by its name."
  value       = { for image, repository in aws_ecr_repository.this : image => repository.repository_url }
}

output "repository_arns" {
  description = "Each repository's ARN, by the image's name."
  value       = { for image, repository in aws_ecr_repository.this : image => repository.arn }
}

output "registry_host" {
  description = "The host to log in to."
  value       = split("/", values(aws_ecr_repository.this)[0].repository_url)[0]
}
