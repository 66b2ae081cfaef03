# A role for each purpose, with what that purpose needs and no more. None has a key: the server gets its role from EC2,
# GitHub's jobs get theirs for an hour by proving to AWS which repository and environment they run for.

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}

locals {
  partition = data.aws_partition.here.partition
  region    = data.aws_region.here.region
  account   = data.aws_caller_identity.here.account_id

  issuer = "token.actions.githubusercontent.com"
  # Who may be a role of GitHub's: jobs that name this environment, after its approvals.
  github_trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "JobsOfThisEnvironment"
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "arn:${local.partition}:iam::${local.account}:oidc-provider/${local.issuer}" }
      Condition = {
        StringEquals = {
          "${local.issuer}:aud" = "sts.amazonaws.com"
          "${local.issuer}:sub" = "repo:${var.github_repository}:environment:${var.environment}"
        }
      }
    }]
  })

  ec2 = "arn:${local.partition}:ec2:${local.region}:${local.account}"
}
