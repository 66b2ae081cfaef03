# Database, buckets and image repositories, each by its name.

locals {
  database = [
    {
      Sid    = "Database"
      Effect = "Allow"
      Action = [
        "rds:AddTagsToResource", "rds:CreateDBInstance", "rds:CreateDBParameterGroup", "rds:CreateDBSnapshot",
        "rds:CreateDBSubnetGroup", "rds:DeleteDBInstance", "rds:DeleteDBParameterGroup", "rds:DeleteDBSubnetGroup",
        "rds:DescribeDBParameterGroups", "rds:DescribeDBParameters", "rds:DescribeDBSubnetGroups",
        "rds:ListTagsForResource", "rds:ModifyDBInstance", "rds:ModifyDBParameterGroup", "rds:ModifyDBSubnetGroup",
        "rds:RemoveTagsFromResource", "rds:ResetDBParameterGroup",
      ]
      Resource = [for kind in ["db", "pg", "snapshot", "subgrp"] : "${local.arns.rds}:${kind}:${var.name}*"]
    },
    {
      Sid      = "SeeDatabase"
      Effect   = "Allow"
      Action   = ["rds:DescribeDBInstances"]
      Resource = ["${local.arns.rds}:db:*"] # an instance is looked up among all of them
    },
    {
      Sid      = "DatabaseOptions" # AWS's own, which every instance has
      Effect   = "Allow"
      Action   = ["rds:CreateDBInstance"]
      Resource = ["${local.arns.rds}:og:default:postgres-*"]
    },
    {
      Sid    = "DatabaseAlarms"
      Effect = "Allow"
      Action = [
        "cloudwatch:DeleteAlarms", "cloudwatch:ListTagsForResource", "cloudwatch:PutMetricAlarm",
        "cloudwatch:TagResource", "cloudwatch:UntagResource",
      ]
      Resource = ["${local.arns.cloudwatch}:alarm:${var.name}-*"]
    },
    {
      Sid      = "SeeAlarms"
      Effect   = "Allow"
      Action   = ["cloudwatch:DescribeAlarms"]
      Resource = ["${local.arns.cloudwatch}:alarm:*"] # an alarm is looked up among all of them
    },
  ]

  buckets = "arn:${local.partition}:s3:::${var.name}-*"

  storage = [
    {
      Sid    = "Buckets"
      Effect = "Allow"
      Action = [
        "s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:GetAccelerateConfiguration",
        "s3:GetBucketAcl", "s3:GetBucketCORS", "s3:GetBucketLogging", "s3:GetBucketObjectLockConfiguration",
        "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock", "s3:GetBucketRequestPayment", "s3:GetBucketTagging",
        "s3:GetBucketVersioning", "s3:GetBucketWebsite", "s3:GetEncryptionConfiguration",
        "s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration", "s3:ListBucket", "s3:ListBucketVersions",
        "s3:ListTagsForResource", "s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock", "s3:PutBucketTagging",
        "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration", "s3:TagResource",
        "s3:UntagResource",
      ]
      Resource = [local.buckets]
    },
    {
      Sid      = "EmptyBuckets" # where force_destroy is set
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
      Resource = ["${local.buckets}/*"]
    },
  ]

  registry = [{
    Sid    = "Repositories"
    Effect = "Allow"
    Action = [
      "ecr:CreateRepository", "ecr:DeleteLifecyclePolicy", "ecr:DeleteRepository", "ecr:DescribeRepositories",
      "ecr:GetLifecyclePolicy", "ecr:ListTagsForResource", "ecr:PutImageScanningConfiguration",
      "ecr:PutImageTagMutability", "ecr:PutLifecyclePolicy", "ecr:TagResource", "ecr:UntagResource",
    ]
    Resource = ["${local.arns.ecr}:repository/${var.name}/*"]
  }]
}
