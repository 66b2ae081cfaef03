# The whole of an environment, made of mocks: what one module hands to another.

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
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-central-1a", "eu-central-1b"] }
  }
  mock_data "aws_vpc" {
    defaults = { cidr_block = "10.20.0.0/16" }
  }
  mock_resource "aws_db_instance" {
    defaults = {
      address            = "database.example"
      port               = 5432
      master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1", secret_status = "active", kms_key_id = "" }]
    }
  }
  mock_resource "aws_ecr_repository" {
    defaults = { repository_url = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/underwriter-dev/image" }
  }
}

variables {
  environment       = "development"
  name              = "underwriter-dev"
  protected         = false
  github_repository = "somebody/underwriter"
  allowed_cidrs     = ["192.0.2.0/24"]
  release           = { version = "0.1.0" }
  pins = {
    k3s            = { version = "v1.35.0+k3s1", checksums = { arm64 = "a000000000000000000000000000000000000000000000000000000000000000" } }
    helm           = { version = "v3.22.0", checksums = { arm64 = "b000000000000000000000000000000000000000000000000000000000000000" } }
    postgres_image = "registry.example/postgres@sha256:c000000000000000000000000000000000000000000000000000000000000000"
  }
}

run "one_server" {
  assert {
    condition     = endswith(output.prediction_address, ":9696")
    error_message = "Predictions are asked for on 9696."
  }

  assert {
    condition     = output.registry_host == "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
    error_message = "The registry's host."
  }

  assert {
    condition     = output.secret_names == ["underwriter-dev/kaggle"]
    error_message = "Kaggle's credentials are a secret that a person fills."
  }

  assert {
    condition     = jsonencode([for secret in local.synced : secret.keys if secret.name == "kaggle"]) == jsonencode([{ KAGGLE_KEY = "key", KAGGLE_USERNAME = "username" }])
    error_message = "Kaggle's own file is copied under the names that tasks read."
  }
}

run "three_servers" {
  variables {
    servers   = { count = 3 }
    protected = true
    release   = { version = "0.1.0", chart = "oci://registry.example/charts/underwriter" }
  }

  assert {
    condition     = endswith(output.prediction_address, ":9696")
    error_message = "The load balancer's address."
  }

  assert {
    condition     = module.cluster.chart == "oci://registry.example/charts/underwriter"
    error_message = "The chart that the release names."
  }
}

run "chart" {
  override_module {
    target = module.registry
    outputs = {
      registry_host   = "registry.example"
      repository_arns = { operator = "arn:operator" }
      repository_urls = { for name in ["charts/underwriter", "operator", "predictor", "tasks"] : name => "registry.example/dev/${name}" }
    }
  }

  assert {
    condition     = module.cluster.chart == "oci://registry.example/dev/charts/underwriter"
    error_message = "It comes from the environment's own registry."
  }
}

run "unpinned" {
  command = plan

  variables {
    pins = {
      k3s            = { version = "v1.35.0+k3s1", checksums = { arm64 = "" } }
      helm           = { version = "v3.22.0", checksums = { arm64 = "" } }
      postgres_image = "registry.example/postgres@sha256:c000000000000000000000000000000000000000000000000000000000000000"
    }
  }

  expect_failures = [var.pins]
}

run "mlflow" {
  variables {
    mlflow_digest = "sha256:d000000000000000000000000000000000000000000000000000000000000000"
  }
}

run "mlflow_by_tag" {
  command = plan

  variables {
    mlflow_digest = "3.17.2"
  }

  expect_failures = [var.mlflow_digest]
}
