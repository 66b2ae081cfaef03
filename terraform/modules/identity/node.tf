# The servers: what boots and keeps a machine acts by this role. Pods do not get at it (workload.tf).

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
  node = { for name, statements in local.node_statements : name => statements if name != "secrets" || length(var.secret_arns) > 0 }

  node_statements = {
    buckets = [
      {
        Sid      = "LookIntoCopies"
        Effect   = "Allow"
        Action   = ["s3:ListBucket"]
        Resource = [var.snapshots_bucket_arn]
      },
      {
        Sid      = "CopyState" # and never delete a copy: the bucket's lifecycle does
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"]
        Resource = ["${var.snapshots_bucket_arn}/*"]
      },
      {
        Sid      = "TakeWhatIsDeployed"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = ["${var.artifacts_bucket_arn}/deployments/*"]
      },
    ]

    images = [
      {
        Sid      = "LogIn"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = ["*"] # it names no repository
      },
      {
        Sid      = "Pull"
        Effect   = "Allow"
        Action   = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = var.repository_arns
      },
    ]

    secrets = [{
      Sid      = "SyncSecrets"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = var.secret_arns
    }]

    pods = [{
      Sid      = "GivePodsTheirRole"
      Effect   = "Allow"
      Action   = ["sts:AssumeRole"]
      Resource = ["arn:${local.partition}:iam::${local.account}:role/${local.workload}"]
    }]

    machine = [
      {
        Sid    = "ReachableBySsm"
        Effect = "Allow"
        Action = [
          "ssm:UpdateInstanceInformation",
          "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
          "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
        ]
        Resource = ["*"] # the agent's own calls, which name no resource
      },
      {
        Sid      = "LookAround"
        Effect   = "Allow"
        Action   = ["ec2:DescribeVolumes", "ec2:DescribeInstances"]
        Resource = ["*"] # descriptions cannot be narrowed
      },
      {
        Sid       = "TakeItsVolumeAndAddress"
        Effect    = "Allow"
        Action    = ["ec2:AttachVolume", "ec2:AssociateAddress"]
        Resource  = [for kind in ["volume", "elastic-ip", "instance", "network-interface"] : "${local.ec2}:${kind}/*"]
        Condition = { StringEquals = { "aws:ResourceTag/Cluster" = var.name } }
      },
      {
        Sid      = "WhatToInstall"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter"]
        Resource = ["arn:${local.partition}:ssm:${local.region}:${local.account}:parameter/${var.name}/*"]
      },
    ]
  }
}
