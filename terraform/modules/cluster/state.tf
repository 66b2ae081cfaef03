# What outlives a server: its volume, its address, and the token by which a cluster knows its own.

resource "aws_ebs_volume" "state" {
  #checkov:skip=CKV_AWS_189: Encrypted by EBS's own key; a key of one's own costs a dollar a month.
  count = local.single ? 1 : 0

  availability_zone = var.availability_zone
  size              = var.state_volume_size
  type              = "gp3"
  encrypted         = true
  final_snapshot    = var.deletion_protection
  tags              = { Name = "${var.name}-state", Cluster = var.name }
}

resource "aws_eip" "server" {
  #checkov:skip=CKV2_AWS_19: The server takes it at its boot, and so does the one that replaces it.
  count = local.single ? 1 : 0

  domain = "vpc"
  tags   = { Name = "${var.name}-server", Cluster = var.name }
}

resource "aws_secretsmanager_secret" "token" {
  #checkov:skip=CKV_AWS_149: Encrypted by Secrets Manager's own key; a key of one's own costs a dollar a month.
  #checkov:skip=CKV2_AWS_57: k3s encrypts its state with it; a token that changes by itself would lock the copies.
  name                    = "${var.name}/k3s-token"
  description             = "The k3s token of ${var.name}. Without it no copy of the cluster's state can be read."
  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

# Made and written while applying; it is in no plan and in no state.
ephemeral "aws_secretsmanager_random_password" "token" {
  password_length     = 64
  exclude_punctuation = true
  include_space       = false
}

resource "aws_secretsmanager_secret_version" "token" {
  secret_id                = aws_secretsmanager_secret.token.id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.token.random_password
  secret_string_wo_version = 1 # another number would write another token, and lock the cluster out of its own state
}
