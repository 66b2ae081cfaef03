mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  name = "underwriter-test"
}

run "closed_buckets" {
  assert {
    condition     = output.data_bucket.arn == "arn:aws:s3:::underwriter-test-data-123456789012"
    error_message = "The account's number makes the name one of its own."
  }

  assert {
    condition = alltrue([for policy in aws_s3_bucket_policy.tls :
    one(jsondecode(policy.policy).Statement).Condition.Bool["aws:SecureTransport"] == "false"])
    error_message = "TLS only."
  }

  assert {
    condition     = length(aws_s3_bucket_versioning.this) == 3 && length(aws_s3_bucket_public_access_block.this) == 3
    error_message = "All three."
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.this["snapshots"].rule) == 2 && length(aws_s3_bucket_lifecycle_configuration.this["data"].rule) == 1
    error_message = "Snapshots go, loans stay."
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.this["artifacts"].rule : rule.filter[0].prefix if rule.id != "clear-up"] == ["deployments/"]
    error_message = "Of artifacts only what a deployment handed over goes."
  }

  assert {
    condition     = alltrue([for bucket in aws_s3_bucket.this : !bucket.force_destroy])
    error_message = "A destroy stops at what a bucket holds."
  }
}

run "a_day_at_least" {
  command = plan

  variables {
    noncurrent_days = 0
  }

  expect_failures = [var.noncurrent_days]
}
