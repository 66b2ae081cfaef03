output "endpoint" {
  description = "The host."
  value       = aws_db_instance.this.address
}

output "port" {
  description = "The port."
  value       = aws_db_instance.this.port
}

output "security_group_id" {
  description = "The database's security group."
  value       = aws_security_group.this.id
}

output "master_secret_arn" {
  description = "The secret of Secrets Manager in which AWS keeps the master user's name and password."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}
