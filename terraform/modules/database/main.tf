# PostgreSQL for the prediction log, and for MLflow where there is one. AWS makes the master password and changes it every
# week; nobody here ever holds it. Databases and roles inside are made by a Job on the cluster.

locals {
  major = split(".", var.engine_version)[0]
}

resource "aws_db_subnet_group" "this" {
  name        = var.name
  description = "Private subnets of ${var.name}"
  subnet_ids  = var.subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.name}-database"
  description = "Who may reach the database of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-database" }
}

# Counted, for an id that is not yet known cannot be a key.
resource "aws_vpc_security_group_ingress_rule" "postgres" {
  count = length(var.allowed_security_group_ids)

  security_group_id            = aws_security_group.this.id
  referenced_security_group_id = var.allowed_security_group_ids[count.index]
  description                  = "PostgreSQL from the cluster"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_db_parameter_group" "this" {
  name        = "${var.name}-postgres${local.major}"
  family      = "postgres${local.major}"
  description = "TLS only; changes of the schema and slow queries are logged"

  dynamic "parameter" {
    for_each = {
      "rds.force_ssl"              = "1"
      "log_statement"              = "ddl"
      "log_min_duration_statement" = "1000"
    }

    content {
      name  = parameter.key
      value = parameter.value
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_118: Enhanced monitoring is paid by what it writes; the alarms read the free metrics.
  #checkov:skip=CKV_AWS_129: The log is read in RDS itself; its export is paid by the gigabyte.
  #checkov:skip=CKV_AWS_157: A standby doubles the price; production has one, development none.
  #checkov:skip=CKV_AWS_161: Roles inside have passwords of the cluster's own; nobody logs in by IAM.
  #checkov:skip=CKV_AWS_293: On in production; an environment to try things in must be easy to destroy.
  #checkov:skip=CKV_AWS_353: Performance Insights has not every small class.
  #checkov:skip=CKV_AWS_354: Performance Insights is off, so there is nothing to encrypt.
  identifier                   = var.name
  engine                       = "postgres"
  engine_version               = var.engine_version
  instance_class               = var.instance_class
  username                     = "postgres"
  manage_master_user_password  = true
  allocated_storage            = var.storage_gb
  max_allocated_storage        = var.max_storage_gb
  storage_type                 = "gp3"
  storage_encrypted            = true
  multi_az                     = var.multi_az
  db_subnet_group_name         = aws_db_subnet_group.this.name
  vpc_security_group_ids       = [aws_security_group.this.id]
  parameter_group_name         = aws_db_parameter_group.this.name
  publicly_accessible          = false
  backup_retention_period      = var.backup_days
  backup_window                = "02:00-03:00"
  maintenance_window           = "sun:03:30-sun:04:30"
  auto_minor_version_upgrade   = true
  copy_tags_to_snapshot        = true
  delete_automated_backups     = true
  deletion_protection          = var.deletion_protection
  skip_final_snapshot          = !var.final_snapshot
  final_snapshot_identifier    = var.final_snapshot ? "${var.name}-final" : null
  performance_insights_enabled = false
}
