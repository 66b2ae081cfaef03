# Everything of one environment, put together. What differs between environments is in variables.tf, and nothing else.

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}

locals {
  account = "arn:${data.aws_partition.here.partition}:iam::${data.aws_caller_identity.here.account_id}"
}

module "network" {
  source = "../network"

  name        = var.name
  cidr        = var.cidr
  nat_gateway = var.nat_gateway
}

module "storage" {
  source = "../storage"

  name          = var.name
  force_destroy = !var.protected
}

module "registry" {
  source = "../registry"

  name         = var.name
  force_delete = !var.protected
}

module "database" {
  source = "../database"

  name                       = var.name
  vpc_id                     = module.network.vpc_id
  subnet_ids                 = module.network.private_subnet_ids
  allowed_security_group_ids = [module.cluster.security_group_id]
  instance_class             = var.database.instance_class
  multi_az                   = var.database.multi_az
  backup_days                = var.database.backup_days
  deletion_protection        = var.protected
  final_snapshot             = var.protected
  alarms                     = var.database.alarms
  alarm_actions              = var.alarm_actions
}

module "identity" {
  source = "../identity"

  name                     = var.name
  environment              = var.environment
  github_repository        = var.github_repository
  permissions_boundary_arn = "${local.account}:policy/${var.project}-boundary-${var.environment}"
  data_bucket_arn          = module.storage.data_bucket.arn
  artifacts_bucket_arn     = module.storage.artifacts_bucket.arn
  snapshots_bucket_arn     = module.storage.snapshots_bucket.arn
  repository_arns          = values(module.registry.repository_arns)
  secret_arns = concat(
    [module.database.master_secret_arn, module.cluster.token_secret_arn],
    [for secret in aws_secretsmanager_secret.this : secret.arn],
  )
}

module "cluster" {
  source = "../cluster"

  name                  = var.name
  vpc_id                = module.network.vpc_id
  subnet_ids            = module.network.public_subnet_ids
  availability_zone     = module.network.availability_zones[0]
  allowed_cidrs         = var.allowed_cidrs
  dashboard_port        = var.dashboard_port
  architecture          = var.servers.architecture
  instance_type         = var.servers.instance_type
  server_count          = var.servers.count
  agent_count           = var.servers.agents
  state_volume_size     = var.servers.state_gb
  instance_profile_name = module.identity.instance_profile_name
  workload_role_arn     = module.identity.workload_role_arn
  deletion_protection   = var.protected
  k3s_version           = var.pins.k3s.version
  k3s_checksum          = var.pins.k3s.checksums[var.servers.architecture]
  helm_version          = var.pins.helm.version
  helm_checksum         = var.pins.helm.checksums[var.servers.architecture]
  postgres_image        = var.pins.postgres_image
  mlflow_image          = var.mlflow_digest == "" ? "" : "${module.registry.repository_urls["mlflow"]}@${var.mlflow_digest}"
  chart                 = coalesce(var.release.chart, "oci://${module.registry.repository_urls["charts/underwriter"]}")
  chart_version         = var.release.version
  image_tags            = var.release.image_tags
  image_digests         = var.release.image_digests
  chart_values          = var.chart_values
  registry_host         = module.registry.registry_host
  repository_urls       = module.registry.repository_urls
  artifacts_bucket      = module.storage.artifacts_bucket
  snapshots_bucket      = module.storage.snapshots_bucket
  snapshot_schedule     = var.snapshot_schedule
  secrets               = local.synced
  objects               = var.objects

  database = {
    endpoint          = module.database.endpoint
    port              = module.database.port
    master_secret_arn = module.database.master_secret_arn
  }
}
