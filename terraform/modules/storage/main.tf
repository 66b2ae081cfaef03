# Three buckets: loans, what is made of them, and snapshots of the cluster's state. Each keeps old versions for a while, is
# encrypted, and answers by TLS only, to nobody outside of the account.

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}

locals {
  # Old versions are kept this many days: long enough to notice a mistake, and for snapshots no longer than the newest.
  days = {
    data      = var.noncurrent_days
    artifacts = var.noncurrent_days
    snapshots = 1
  }
  # What is not kept at all after as many days.
  passing = {
    snapshots = { snapshots = { prefix = "", days = var.snapshot_days } }
    artifacts = { deployments = { prefix = "deployments/", days = 7 } } # what a deployment hands to the server
  }
  names = { for purpose, _ in local.days : purpose => "${var.name}-${purpose}-${data.aws_caller_identity.here.account_id}" }
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_144: One region; what must outlive it is copied by whoever needs that.
  #checkov:skip=CKV_AWS_145: Encrypted by S3's own key; a key of one's own costs a dollar a month and guards against nobody here, for both are of the same account.
  #checkov:skip=CKV_AWS_18: Access logs would need a fourth bucket; CloudTrail's data events are the account's own to turn on.
  #checkov:skip=CKV2_AWS_62: Nobody listens for events; the operator looks by itself.
  for_each = local.names

  bucket        = each.value
  force_destroy = var.force_destroy
  tags          = { Name = each.value }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = aws_s3_bucket.this

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "tls" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [local.arns[each.key], "${local.arns[each.key]}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
  # Two changes of a bucket's access at once are refused by S3.
  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    id     = "clear-up"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = local.days[each.key]
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }

  dynamic "rule" {
    for_each = lookup(local.passing, each.key, {})

    content {
      id     = "old-${rule.key}"
      status = "Enabled"

      filter {
        prefix = rule.value.prefix
      }

      expiration {
        days = rule.value.days
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

locals {
  # Made of the names, so that policies are known in a plan.
  arns = { for purpose, name in local.names : purpose => "arn:${data.aws_partition.here.partition}:s3:::${name}" }
}
