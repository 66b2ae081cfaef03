# The servers: k3s, the operator and its workloads act by this role.

resource "aws_iam_role" "node" {
  name                 = "${var.name}-node"
  description          = "Servers of ${var.name}"
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

resource "aws_iam_instance_profile" "node" {
  name = "${var.name}-node"
  role = aws_iam_role.node.name
}

resource "aws_iam_role_policy" "node" {
  for_each = local.node

  name   = each.key
  role   = aws_iam_role.node.id
  policy = jsonencode({ Version = "2012-10-17", Statement = each.value })
}

locals {
  node = merge(
    { buckets = local.node_buckets, images = local.node_images, machine = local.node_machine },
    length(var.secret_arns) > 0 ? { secrets = local.node_secrets } : {},
  )

  node_buckets = [
    {
      Sid      = "LookInto"
      Effect   = "Allow"
      Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
      Resource = [var.data_bucket_arn, var.artifacts_bucket_arn, var.snapshots_bucket_arn]
    },
    {
      Sid      = "ReadLoans"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = ["${var.data_bucket_arn}/*"]
    },
    {
      Sid      = "KeepArtifactsAndSnapshots"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
      Resource = ["${var.artifacts_bucket_arn}/*", "${var.snapshots_bucket_arn}/*"]
    },
  ]

  node_images = [
    {
      Sid      = "LogIn"
      Effect   = "Allow"
      Action   = ["ecr:GetAuthorizationToken"]
      Resource = ["*"] # it names no repository
    },
    {
      Sid      = "Pull"
      Effect   = "Allow"
      Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Resource = var.repository_arns
    },
  ]

  node_secrets = [{
    Sid      = "SyncSecrets"
    Effect   = "Allow"
    Action   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    Resource = var.secret_arns
  }]

  node_machine = [
    {
      Sid    = "ReachableBySsm"
      Effect = "Allow"
      Action = [
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
        "ec2messages:AcknowledgeMessage", "ec2messages:DeleteMessage", "ec2messages:FailMessage",
        "ec2messages:GetEndpoint", "ec2messages:GetMessages", "ec2messages:SendReply",
      ]
      Resource = ["*"] # the agent's own calls, which name no resource
    },
    {
      Sid      = "FindItsVolume"
      Effect   = "Allow"
      Action   = ["ec2:DescribeVolumes", "ec2:DescribeInstances"]
      Resource = ["*"] # descriptions cannot be narrowed
    },
    {
      Sid       = "TakeItsVolume"
      Effect    = "Allow"
      Action    = ["ec2:AttachVolume", "ec2:DetachVolume"]
      Resource  = [for kind in ["volume", "instance"] : "arn:${local.partition}:ec2:${local.region}:${local.account}:${kind}/*"]
      Condition = local.ours
    },
  ]
}
