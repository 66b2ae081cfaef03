# What a new cluster installs. The server reads it, and it is not part of its user data, so that another version replaces
# no machine. What is installed already stays as it was deployed, until underwriter-release.service is started.

locals {
  images = {
    for name in ["operator", "predictor", "tasks"] : name => {
      repository = var.repository_urls[name]
      tag        = lookup(var.image_tags, name, "")
      digest     = lookup(var.image_digests, name, "")
    }
  }

  release = {
    chart   = var.chart
    version = var.chart_version
    values = merge({
      images        = local.images
      artifacts     = { uri = "s3://${var.artifacts_bucket.name}/versions/" }
      predictionLog = { secretName = "underwriter-log" }
      caConfigMap   = "underwriter-ca"
      networkPolicy = { workloadNamespaces = [var.namespace] }
    }, var.chart_values, { workloads = { env = local.env } })
  }

  # A proxy, say, comes beside what pods get their role by, not in its place.
  env = merge({
    AWS_REGION                             = data.aws_region.here.region
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = "/credentials" # of pod_role.py
  }, try(var.chart_values.workloads.env, {}))
}

resource "aws_ssm_parameter" "release" {
  #checkov:skip=CKV2_AWS_34: It names a chart, its version and its values; none of them is secret.
  name        = "/${var.name}/release"
  description = "The chart of ${var.name}: which, which version, which values."
  type        = "String"
  value       = jsonencode(local.release)
}
