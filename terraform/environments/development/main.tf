# The smallest that runs everything: one server, one small database without a standby. A destroy takes all of it.

module "underwriter" {
  source = "../../modules/environment"

  environment       = "development"
  name              = "underwriter-dev"
  protected         = false
  github_repository = var.github_repository
  allowed_cidrs     = var.allowed_cidrs
  release           = var.release
  pins              = jsondecode(file("${path.module}/../../pins.json"))

  servers       = { instance_type = "t4g.small" }
  database      = { instance_class = "db.t4g.micro", backup_days = 1 }
  mlflow_digest = "" # see docs/mlflow.md
}
