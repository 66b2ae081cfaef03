# The pods: training, scans, predictions and MLflow act by this role. Each machine takes it in their name, and hands it to
# its own pods alone (../cluster/user-data/scripts/pod_role.py). So no pod can read a secret or be another machine.

locals {
  workload = "${var.name}-workload"
}

resource "aws_iam_role" "workload" {
  name                 = local.workload
  description          = "Pods of ${var.name}"
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = aws_iam_role.node.arn }
    }]
  })
}

resource "aws_iam_role_policy" "workload" {
  name = "buckets"
  role = aws_iam_role.workload.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "LookInto"
        Effect   = "Allow"
        Action   = ["s3:ListBucket"]
        Resource = [var.data_bucket_arn, var.artifacts_bucket_arn]
      },
      {
        Sid      = "ReadLoans"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = ["${var.data_bucket_arn}/*"]
      },
      {
        Sid      = "KeepArtifacts"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
        Resource = ["${var.artifacts_bucket_arn}/*"]
      },
    ]
  })
}
