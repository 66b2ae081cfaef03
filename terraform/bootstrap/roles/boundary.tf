# The most that any role made in the environment can ever do, whatever its own policies say: work with what belongs to the
# environment, and with nothing that could give more rights.

locals {
  boundary_arn = "arn:${local.partition}:iam::${local.account}:policy/${var.project}-boundary-${var.environment}"
}

resource "aws_iam_policy" "boundary" {
  name        = "${var.project}-boundary-${var.environment}"
  description = "The most that a role of ${var.environment} can do"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Buckets"
        Effect   = "Allow"
        Action   = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"]
        Resource = [local.buckets, "${local.buckets}/*"]
      },
      {
        Sid    = "Images"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:GetDownloadUrlForLayer",
          "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
        ]
        Resource = ["${local.arns.ecr}:repository/${var.name}/*"]
      },
      {
        Sid      = "Secrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = ["${local.arns.secretsmanager}:secret:${var.name}/*", "${local.arns.secretsmanager}:secret:rds!db-*"]
      },
      {
        Sid       = "VolumesAndAddresses"
        Effect    = "Allow"
        Action    = ["ec2:AssociateAddress", "ec2:AttachVolume"]
        Resource  = ["${local.arns.ec2}:*"]
        Condition = { StringEquals = { "aws:ResourceTag/Cluster" = var.name } }
      },
      {
        Sid       = "Commands"
        Effect    = "Allow"
        Action    = ["ssm:SendCommand"]
        Resource  = ["${local.arns.ec2}:instance/*"]
        Condition = { StringEquals = { "ssm:resourceTag/Cluster" = var.name } }
      },
      {
        Sid      = "CommandsOfWhichKind"
        Effect   = "Allow"
        Action   = ["ssm:SendCommand"]
        Resource = ["arn:${local.partition}:ssm:${local.region}::document/AWS-RunShellScript"]
      },
      {
        Sid      = "RoleOfPods"
        Effect   = "Allow"
        Action   = ["sts:AssumeRole"]
        Resource = ["arn:${local.partition}:iam::${local.account}:role/${var.name}-workload"]
      },
      {
        Sid      = "Parameters"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter"]
        Resource = ["${local.arns.ssm}:parameter/${var.name}/*"]
      },
      {
        Sid    = "WhatNamesNothing"
        Effect = "Allow"
        Action = [
          "autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances", "ec2:DescribeVolumes",
          "ecr:GetAuthorizationToken", "ssm:DescribeInstanceInformation", "ssm:GetCommandInvocation",
          "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
          "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
        ]
        Resource = ["*"]
      },
    ]
  })
}
