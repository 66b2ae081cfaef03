# What cloud-init writes onto a machine and starts. There is no provider in this module: it makes a text of its
# variables and nothing else, so that the tests render what AWS would get.

locals {
  arm        = var.architecture == "arm64"
  server     = var.role == "server"
  namespaces = concat(["underwriter-system", var.namespace], var.mlflow == null ? [] : ["mlflow"])

  settings = {
    CLUSTER            = var.name
    ROLE               = var.role
    AWS_REGION         = var.region
    AWS_DEFAULT_REGION = var.region
    HOME               = "/root"
    KUBECONFIG         = "/etc/rancher/k3s/k3s.yaml"

    NODE_NAME          = local.server && var.datastore == "sqlite" ? "${var.name}-server" : ""
    TOKEN_SECRET       = var.token_secret
    WORKLOAD_ROLE      = var.workload_role
    ADDRESS_ALLOCATION = var.address_allocation
    STATE_VOLUME       = var.state_volume
    DATASTORE          = var.datastore
    SNAPSHOTS_BUCKET   = var.snapshots_bucket
    REGISTRY_HOST      = var.registry_host

    K3S_DOWNLOAD = coalesce(var.k3s.url, join("", [
      "https://github.com/k3s-io/k3s/releases/download/${replace(var.k3s.version, "+", "%2B")}/k3s", local.arm ? "-arm64" : "",
    ]))
    K3S_CHECKSUM         = var.k3s.checksum
    HELM_VERSION         = var.helm.version
    HELM_DOWNLOAD        = coalesce(var.helm.url, "https://get.helm.sh/helm-${var.helm.version}-linux-${local.arm ? "arm64" : "amd64"}.tar.gz")
    HELM_CHECKSUM        = var.helm.checksum
    HELM_REGISTRY_CONFIG = "/etc/underwriter/helm-registry.json"
    RELEASE_PARAMETER    = var.release_parameter

    NAMESPACE       = var.namespace
    NAMESPACES      = join(" ", local.namespaces)
    CA_BUNDLE_URL   = coalesce(var.ca_bundle_url, "https://truststore.pki.rds.amazonaws.com/${var.region}/${var.region}-bundle.pem")
    DATABASE_HOST   = var.database.host
    DATABASE_PORT   = var.database.port
    DATABASE_SECRET = var.database.master_secret_arn
    DATABASE_ROLES  = join(" ", concat(["underwriter"], var.mlflow == null ? [] : ["mlflow"]))
    POSTGRES_IMAGE  = var.postgres_image

    PASSWORDS_VERSION = var.passwords_version
  }

  # k3s reads YAML, of which JSON is a part.
  k3s_any = {
    token-file = "/etc/rancher/k3s/token"
    kubelet-arg = [
      "image-credential-provider-config=/etc/underwriter/credential-provider.json",
      "image-credential-provider-bin-dir=/opt/underwriter/credential-provider",
    ]
  }
  k3s_server = {
    write-kubeconfig-mode = "0600"
    secrets-encryption    = true
    disable               = ["traefik", "local-storage"]
  }
  k3s = local.server ? jsonencode(merge(local.k3s_any, local.k3s_server)) : jsonencode(local.k3s_any)

  # Started by the timers, or by a person.
  tasks = {
    for name, task in {
      snapshot = { role = "server", command = "snapshot.py", schedule = var.snapshot_schedule, description = "Copies k3s's state to S3" }
      secrets  = { role = "server", command = "sync_secrets.py --strict", schedule = "*:0/5", description = "Copies secrets from AWS Secrets Manager" }
      nodes    = { role = "server", command = "forget_nodes.sh", schedule = "*:0/5", description = "Removes nodes whose machine is gone" }
      release  = { role = "server", command = "release.py", schedule = "", description = "Installs the chart as the release parameter says" }
      join     = { role = "agent", command = "join.sh", schedule = "*:*", description = "Looks for the server" }
    } : name => task if task.role == var.role
  }
}
