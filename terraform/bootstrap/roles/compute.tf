# Servers: launch templates, Auto Scaling groups, volumes, and what the servers are to install.

locals {
  compute = [
    {
      Sid    = "SeeServers"
      Effect = "Allow"
      Action = [
        "autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeInstanceRefreshes",
        "autoscaling:DescribeScalingActivities", "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeLaunchTemplates", "ec2:DescribeSnapshots", "ec2:DescribeVolumes",
      ]
      Resource = ["*"] # descriptions cannot be narrowed
    },
    {
      Sid       = "MakeTemplatesAndVolumes"
      Effect    = "Allow"
      Action    = ["ec2:CreateLaunchTemplate", "ec2:CreateVolume"]
      Resource  = [for kind in ["launch-template", "volume"] : "${local.arns.ec2}:${kind}/*"]
      Condition = local.tagging
    },
    {
      Sid       = "LastCopyOfAVolume"
      Effect    = "Allow"
      Action    = ["ec2:CreateSnapshot"]
      Resource  = ["${local.arns.ec2}:snapshot/*", "arn:${local.partition}:ec2:${local.region}::snapshot/*"]
      Condition = local.tagging
    },
    {
      Sid    = "ChangeTemplatesAndVolumes"
      Effect = "Allow"
      Action = [
        "ec2:CreateLaunchTemplateVersion", "ec2:CreateSnapshot", "ec2:DeleteLaunchTemplate", "ec2:DeleteVolume",
        "ec2:ModifyLaunchTemplate", "ec2:ModifyVolume",
      ]
      Resource  = ["${local.arns.ec2}:launch-template/*", "${local.arns.ec2}:volume/*"]
      Condition = local.tagged
    },
    # Auto Scaling tries, in the caller's name, whether the template's machines could be started: by a template, in our
    # network, and tagged as the cluster's.
    {
      Sid      = "StartServers"
      Effect   = "Allow"
      Action   = ["ec2:RunInstances"]
      Resource = [for kind in ["instance", "network-interface", "volume"] : "${local.arns.ec2}:${kind}/*"]
      Condition = {
        ArnLike      = { "ec2:LaunchTemplate" = "${local.arns.ec2}:launch-template/*" }
        StringEquals = { "aws:RequestTag/Cluster" = var.name }
      }
    },
    {
      Sid       = "StartByOurTemplate"
      Effect    = "Allow"
      Action    = ["ec2:RunInstances"]
      Resource  = [for kind in ["launch-template", "security-group", "subnet"] : "${local.arns.ec2}:${kind}/*"]
      Condition = local.tagged
    },
    {
      Sid      = "StartFromImages" # AWS's own
      Effect   = "Allow"
      Action   = ["ec2:RunInstances"]
      Resource = ["arn:${local.partition}:ec2:${local.region}::image/*"]
    },
    {
      Sid      = "TagServers"
      Effect   = "Allow"
      Action   = ["ec2:CreateTags"]
      Resource = ["${local.arns.ec2}:*"]
      Condition = { StringEquals = {
        "ec2:CreateAction"       = "RunInstances"
        "aws:RequestTag/Cluster" = var.name
      } }
    },
    {
      Sid    = "Groups"
      Effect = "Allow"
      Action = [
        "autoscaling:CancelInstanceRefresh", "autoscaling:CreateAutoScalingGroup", "autoscaling:CreateOrUpdateTags",
        "autoscaling:DeleteAutoScalingGroup", "autoscaling:DeleteTags", "autoscaling:StartInstanceRefresh",
        "autoscaling:UpdateAutoScalingGroup",
      ]
      Resource = ["${local.arns.autoscaling}:autoScalingGroup:*:autoScalingGroupName/${var.name}-*"]
    },
    {
      Sid      = "NewestImage"
      Effect   = "Allow"
      Action   = ["ssm:GetParameters"]
      Resource = ["arn:${local.partition}:ssm:${local.region}::parameter/aws/service/*"]
    },
    {
      Sid      = "FindParameters"
      Effect   = "Allow"
      Action   = ["ssm:DescribeParameters"]
      Resource = ["*"] # names only, and cannot be narrowed to one
    },
    {
      Sid    = "WhatToInstall"
      Effect = "Allow"
      Action = [
        "ssm:AddTagsToResource", "ssm:DeleteParameter", "ssm:GetParameter", "ssm:ListTagsForResource",
        "ssm:PutParameter", "ssm:RemoveTagsFromResource",
      ]
      Resource = ["${local.arns.ssm}:parameter/${var.name}/*"]
    },
  ]
}
