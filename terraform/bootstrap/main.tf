# What must stand before anything else can be made by GitHub's jobs: where Terraform's state is kept, that AWS believes
# GitHub, and for each environment the roles in which its jobs plan and apply. A person with rights in the account applies
# it once; no key is made.

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}

resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

module "roles" {
  source   = "./roles"
  for_each = var.environments

  project           = var.project
  environment       = each.key
  name              = each.value
  github_repository = var.github_repository
  issuer_arn        = aws_iam_openid_connect_provider.github.arn
  state_bucket_arn  = "arn:${data.aws_partition.here.partition}:s3:::${local.state_bucket}"
}
