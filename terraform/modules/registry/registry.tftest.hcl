mock_provider "aws" {
  mock_resource "aws_ecr_repository" {
    defaults = { repository_url = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/underwriter-test/image" }
  }
}

variables {
  name = "underwriter-test"
}

run "repositories" {
  assert {
    condition     = keys(output.repository_urls) == ["charts/underwriter", "mlflow", "operator", "predictor", "tasks"]
    error_message = "One an image, and one for the chart."
  }

  assert {
    condition     = output.registry_host == "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
    error_message = "The host of all of them."
  }

  assert {
    condition = alltrue([for repository in aws_ecr_repository.this :
    repository.image_tag_mutability_exclusion_filter[0].filter == "sha256-*" && repository.image_scanning_configuration[0].scan_on_push])
    error_message = "A tag stands for one image, which has been scanned."
  }
}

run "names_of_images" {
  command = plan

  variables {
    images = ["Operator"]
  }

  expect_failures = [var.images]
}
