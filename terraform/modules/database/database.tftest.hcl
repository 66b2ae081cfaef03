mock_provider "aws" {
  mock_resource "aws_db_instance" {
    defaults = { master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1", secret_status = "active", kms_key_id = "" }] }
  }
}

variables {
  name                       = "underwriter-test"
  vpc_id                     = "vpc-1"
  subnet_ids                 = ["subnet-1", "subnet-2"]
  allowed_security_group_ids = ["sg-1"]
}

run "closed_and_encrypted" {
  assert {
    condition     = aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible
    error_message = "Encrypted, and in no public network."
  }

  assert {
    condition     = aws_db_instance.this.manage_master_user_password && output.master_secret_arn != ""
    error_message = "AWS makes the password."
  }

  assert {
    condition     = contains([for p in aws_db_parameter_group.this.parameter : "${p.name}=${p.value}"], "rds.force_ssl=1")
    error_message = "TLS only."
  }

  assert {
    condition     = [for rule in aws_vpc_security_group_ingress_rule.postgres : rule.referenced_security_group_id] == ["sg-1"]
    error_message = "Whoever is named, and nobody else."
  }

  assert {
    condition     = aws_db_instance.this.deletion_protection && aws_db_instance.this.final_snapshot_identifier == "underwriter-test-final"
    error_message = "Unless told otherwise, it stays."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) == 0
    error_message = "Alarms only where wanted."
  }
}

run "watched" {
  variables {
    alarms        = true
    alarm_actions = ["arn:aws:sns:eu-central-1:123456789012:ops"]
  }

  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.this) == ["cpu", "credits", "storage"]
    error_message = "Storage, CPU and credits."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["storage"].threshold == 2147483648
    error_message = "A tenth of 20 GB."
  }
}

run "to_try_things_in" {
  variables {
    deletion_protection = false
    final_snapshot      = false
  }

  assert {
    condition     = aws_db_instance.this.skip_final_snapshot
    error_message = "Nothing is left behind."
  }
}

run "never_without_backups" {
  command = plan

  variables {
    backup_days = 0
  }

  expect_failures = [var.backup_days]
}

run "in_two_zones" {
  command = plan

  variables {
    subnet_ids = ["subnet-1"]
  }

  expect_failures = [var.subnet_ids]
}
