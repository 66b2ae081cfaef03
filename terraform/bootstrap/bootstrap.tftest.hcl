# The roles and policies as they come out; terraform/tests/policies.py reads them from here, too.

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
  region            = "eu-central-1"
  github_repository = "somebody/underwriter"
}

run "made" {
  assert {
    condition     = output.state_bucket != "" && length(output.deploy_role_arns) == 2 && length(output.plan_role_arns) == 2
    error_message = "A bucket, and two roles of each environment."
  }
}

run "trust_of_one_environment" {
  module {
    source = "./roles"
  }

  variables {
    project          = "underwriter"
    environment      = "production"
    name             = "underwriter-prod"
    issuer_arn       = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    state_bucket_arn = "arn:aws:s3:::underwriter-state-123456789012"
  }

  assert {
    condition = (
      jsondecode(aws_iam_role.deploy.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"]
      == "repo:somebody/underwriter:environment:production"
    )
    error_message = "Only jobs that name the environment may deploy."
  }

  assert {
    condition = (
      jsondecode(aws_iam_role.plan.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"]
      == "repo:somebody/underwriter:pull_request"
    )
    error_message = "Only pull requests plan."
  }

  assert {
    condition     = alltrue([for action in flatten([for s in jsondecode(aws_iam_policy.plan.policy).Statement : s.Action]) : can(regex(":(Describe|Get|List)", action))])
    error_message = "A plan changes nothing."
  }
}

run "wildcard_repository" {
  command = plan

  variables {
    github_repository = "somebody/*"
  }

  expect_failures = [var.github_repository]
}

run "names_in_each_other" {
  command = plan

  variables {
    environments = { development = "underwriter", production = "underwriter-prod" }
  }

  expect_failures = [var.environments]
}

run "names_of_the_roles_themselves" {
  command = plan

  variables {
    environments = { development = "underwriter-deploy" }
  }

  expect_failures = [var.environments]
}

run "names_too_long_for_a_target_group" {
  command = plan

  variables {
    environments = { production = "underwriter-production" }
  }

  expect_failures = [var.environments]
}
