# The environment's own state, and no other's.

locals {
  state = [
    {
      Sid      = "FindTheState" # names only; without it S3 does not say of a state that there is none yet
      Effect   = "Allow"
      Action   = ["s3:ListBucket"]
      Resource = [var.state_bucket_arn]
    },
    {
      Sid      = "KeepTheState"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject"]
      Resource = ["${var.state_bucket_arn}/${var.environment}/*"]
    },
    {
      Sid      = "GiveTheLockBack"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject"]
      Resource = ["${var.state_bucket_arn}/${var.environment}/*.tflock"]
    },
  ]
}
