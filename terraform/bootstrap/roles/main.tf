# Two roles of one environment. `deploy` makes, changes and destroys it, for jobs that name the environment, which GitHub
# lets begin only after the environment's own rules. `plan` reads the same things and changes none, for pull requests.
# What each may do is written once, by concern, in the other files; ../permissions.md says which call needs it.

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}

locals {
  partition = data.aws_partition.here.partition
  account   = data.aws_caller_identity.here.account_id
  region    = data.aws_region.here.region
  issuer    = "token.actions.githubusercontent.com"

  # Regional resources begin so; IAM's and S3's have no region.
  arns = { for service in ["autoscaling", "cloudwatch", "ec2", "ecr", "elasticloadbalancing", "rds", "secretsmanager", "ssm"] :
  service => "arn:${local.partition}:${service}:${local.region}:${local.account}" }

  # What the provider's default_tags put on everything, when it is made and ever after.
  tags    = { Project = var.project, Environment = var.environment }
  tagging = { StringEquals = { for key, value in local.tags : "aws:RequestTag/${key}" => value } }
  tagged  = { StringEquals = { for key, value in local.tags : "aws:ResourceTag/${key}" => value } }

  statements = {
    state    = local.state
    network  = local.network
    compute  = local.compute
    balancer = local.balancer
    data     = concat(local.database, local.storage, local.registry)
    identity = concat(local.identity, local.secrets)
  }

  reading = "^[a-z0-9]+:(Describe|Get|List)"
  reads = [
    for statement in flatten(values(local.statements)) :
    merge(statement, { Action = [for action in statement.Action : action if can(regex(local.reading, action))] })
    if anytrue([for action in statement.Action : can(regex(local.reading, action))])
  ]

  trust = { for role, subject in { deploy = "environment:${var.environment}", plan = "pull_request" } : role => jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = var.issuer_arn }
      Condition = {
        StringEquals = {
          "${local.issuer}:aud" = "sts.amazonaws.com"
          "${local.issuer}:sub" = "repo:${var.github_repository}:${subject}"
        }
      }
    }]
  }) }
}

# Named so that no pattern of the policies fits: a role must not change its own rights.
resource "aws_iam_role" "deploy" {
  name                 = "${var.project}-deploy-${var.environment}"
  description          = "GitHub applies ${var.environment}"
  assume_role_policy   = local.trust["deploy"]
  max_session_duration = 7200 # a database takes a while
}

resource "aws_iam_policy" "deploy" {
  for_each = local.statements

  name        = "${var.project}-deploy-${var.environment}-${each.key}"
  description = "What applying ${var.environment} needs: ${each.key}"
  policy      = jsonencode({ Version = "2012-10-17", Statement = each.value })
}

resource "aws_iam_role_policy_attachment" "deploy" {
  for_each = aws_iam_policy.deploy

  role       = aws_iam_role.deploy.name
  policy_arn = each.value.arn
}

resource "aws_iam_role" "plan" {
  name               = "${var.project}-plan-${var.environment}"
  description        = "GitHub plans ${var.environment} on pull requests"
  assume_role_policy = local.trust["plan"]
}

resource "aws_iam_policy" "plan" {
  name        = "${var.project}-plan-${var.environment}"
  description = "What planning ${var.environment} reads"
  policy      = jsonencode({ Version = "2012-10-17", Statement = local.reads })
}

resource "aws_iam_role_policy_attachment" "plan" {
  role       = aws_iam_role.plan.name
  policy_arn = aws_iam_policy.plan.arn
}
