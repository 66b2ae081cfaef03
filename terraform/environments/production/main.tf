# Three servers behind a load balancer with their state in a database that has a standby. A destroy stops at data.

module "underwriter" {
  source = "../../modules/environment"

  environment       = "production"
  name              = "underwriter-prod"
  protected         = true
  github_repository = var.github_repository
  allowed_cidrs     = var.allowed_cidrs
  release           = var.release
  pins              = jsondecode(file("${path.module}/../../pins.json"))

  servers       = { instance_type = "t4g.medium", count = 3 }
  database      = { instance_class = "db.t4g.small", multi_az = true, backup_days = 14, alarms = true }
  alarm_actions = var.alarm_actions
  mlflow_digest = "" # see docs/mlflow.md
}
