# Secrets that people fill: made empty here, filled by `aws secretsmanager put-secret-value`, so that no value passes through
# Terraform. The cluster copies them into Kubernetes Secrets.

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV_AWS_149: Encrypted by Secrets Manager's own key; a key of one's own costs a dollar a month.
  #checkov:skip=CKV2_AWS_57: They are of other services, which alone can change them.
  for_each = var.secrets

  name                    = "${var.name}/${each.key}"
  description             = each.value.description
  recovery_window_in_days = var.protected ? 30 : 0
}

locals {
  synced = [
    for name, secret in var.secrets : {
      secret    = aws_secretsmanager_secret.this[name].name
      name      = name
      namespace = secret.namespace
      keys      = secret.keys
    }
  ]
}
