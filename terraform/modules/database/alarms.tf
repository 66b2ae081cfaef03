# What fills up or runs hot, said before the log must refuse.

locals {
  alarms = {
    storage = {
      metric      = "FreeStorageSpace"
      comparison  = "LessThanThreshold"
      threshold   = var.storage_gb * 1073741824 * 0.1
      description = "Less than a tenth of the storage first asked for is free"
    }
    cpu = {
      metric      = "CPUUtilization"
      comparison  = "GreaterThanThreshold"
      threshold   = 90
      description = "Above 90 % for a quarter of an hour"
    }
    credits = {
      metric      = "CPUCreditBalance"
      comparison  = "LessThanThreshold"
      threshold   = 20
      description = "A burstable class that is about to be slowed down"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for name, alarm in local.alarms : name => alarm if var.alarms }

  alarm_name          = "${var.name}-database-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  dimensions          = { DBInstanceIdentifier = aws_db_instance.this.identifier }
  statistic           = "Average"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching" # a class without credits has none to lose
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
}
