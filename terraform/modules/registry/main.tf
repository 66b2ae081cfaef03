# One repository an image, and one for the chart. A tag stands for one of them for ever, so that what was scanned and signed is
# what runs; but for the tags sha256-…, to which signatures and attestations are added.

resource "aws_ecr_repository" "this" {
  #checkov:skip=CKV_AWS_51: Tags are immutable but for sha256-…, to which signatures are added; the check knows only all or nothing.
  #checkov:skip=CKV_AWS_136: Encrypted by ECR's own key; images are public in the release anyway.
  for_each = var.images

  name                 = "${var.name}/${each.key}"
  image_tag_mutability = "IMMUTABLE_WITH_EXCLUSION"
  force_delete         = var.force_delete

  image_tag_mutability_exclusion_filter {
    filter      = "sha256-*"
    filter_type = "WILDCARD"
  }

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "AES256"
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = aws_ecr_repository.this

  repository = each.value.name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "What no tag names is left over."
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = var.untagged_days }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "Enough to roll back by."
        selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = var.kept_images }
        action       = { type = "expire" }
      },
    ]
  })
}
