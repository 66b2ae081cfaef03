locals {
  scripts = {
    for name in setunion(fileset("${path.module}/scripts", "*.sh"), fileset("${path.module}/scripts", "*.py"), ["role.sql"]) :
    "/opt/underwriter/${name}" => { mode = "0755", content = file("${path.module}/scripts/${name}") }
  }

  configuration = {
    "/etc/underwriter/settings.env" = templatefile("${path.module}/templates/settings.env.tftpl", { settings = local.settings })
    "/etc/rancher/k3s/config.yaml"  = local.k3s
  }

  units = merge(
    {
      "underwriter-boot.service"     = templatefile("${path.module}/templates/boot.service.tftpl", {})
      "underwriter-pod-role.service" = templatefile("${path.module}/templates/pod-role.service.tftpl", {})
      "k3s.service"                  = templatefile("${path.module}/templates/k3s.service.tftpl", { role = var.role })
    },
    {
      for name, task in local.tasks :
      "underwriter-${name}.service" => templatefile("${path.module}/templates/task.service.tftpl", { task = task })
    },
    {
      for name, task in local.tasks :
      "underwriter-${name}.timer" => templatefile("${path.module}/templates/task.timer.tftpl", { task = task })
      if task.schedule != ""
    },
  )

  manifests = merge(
    {
      "10-namespaces.yaml" = templatefile("${path.module}/templates/namespaces.yaml.tftpl", { namespaces = local.namespaces })
      "20-door.yaml"       = templatefile("${path.module}/templates/door.yaml.tftpl", { namespace = var.namespace, service = var.prediction_service })
    },
    {
      for mlflow in var.mlflow[*] :
      "30-mlflow.yaml" => templatefile("${path.module}/templates/mlflow.yaml.tftpl", merge(mlflow, { region = var.region }))
    },
  )

  in_cluster = merge(
    { "/etc/underwriter/secrets.json" = jsonencode(var.secrets) },
    { for name, content in local.manifests : "/opt/underwriter/manifests/${name}" => content },
    { for name, content in var.objects : "/opt/underwriter/objects/${name}.yaml" => content },
  )

  texts = merge(
    local.configuration,
    { for name, content in local.units : "/etc/systemd/system/${name}" => content },
    { for path, content in local.in_cluster : path => content if local.server },
  )

  files = merge(local.scripts, { for path, content in local.texts : path => { mode = "0644", content = content } })
}

locals {
  text   = templatefile("${path.module}/templates/user-data.yaml.tftpl", { files = local.files })
  packed = base64gzip(local.text)
}
