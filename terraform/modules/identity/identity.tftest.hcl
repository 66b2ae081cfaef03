mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
}

variables {
  name                     = "underwriter-dev"
  environment              = "development"
  github_repository        = "somebody/underwriter"
  permissions_boundary_arn = "arn:aws:iam::123456789012:policy/underwriter-boundary-development"
  data_bucket_arn          = "arn:aws:s3:::underwriter-dev-data-123456789012"
  artifacts_bucket_arn     = "arn:aws:s3:::underwriter-dev-artifacts-123456789012"
  snapshots_bucket_arn     = "arn:aws:s3:::underwriter-dev-snapshots-123456789012"
  repository_arns          = ["arn:aws:ecr:eu-central-1:123456789012:repository/underwriter-dev/tasks"]
  secret_arns = [
    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1234",
    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:underwriter-dev/kaggle-AbCdEf",
  ]
}

run "bounded_roles" {
  assert {
    condition = alltrue([for role in [aws_iam_role.node, aws_iam_role.workload, aws_iam_role.publish, aws_iam_role.deploy] :
    role.permissions_boundary == var.permissions_boundary_arn])
    error_message = "Every role is bounded."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.node["secrets"].policy).Statement[0].Resource == [for arn in var.secret_arns : arn]
    error_message = "The named secrets, and no others."
  }

  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_role_policy.workload.policy).Statement :
    !contains(statement.Action, "s3:PutObject") || !contains(statement.Resource, "${var.data_bucket_arn}/*")])
    error_message = "Loans are read, never written."
  }

  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_role_policy.workload.policy).Statement :
    alltrue([for action in statement.Action : startswith(action, "s3:")])])
    error_message = "Pods get at buckets, and at nothing else: no secret, no machine, no role."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.node["pods"].policy).Statement[0].Resource == ["arn:aws:iam::123456789012:role/${aws_iam_role.workload.name}"]
    error_message = "Machines take the pods' role, and no other."
  }
}

run "without_secrets" {
  variables {
    secret_arns = []
  }

  assert {
    condition     = !contains(keys(aws_iam_role_policy.node), "secrets")
    error_message = "A policy without resources is refused by AWS."
  }
}

run "one_repository" {
  command = plan

  variables {
    github_repository = "somebody/*"
  }

  expect_failures = [var.github_repository]
}
