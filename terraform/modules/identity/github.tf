# Two roles of GitHub's jobs beside Terraform's own, which terraform/bootstrap makes: one pushes images, one looks at what
# an apply has done to the cluster and undoes it.

resource "aws_iam_role" "publish" {
  name                 = "${var.name}-publish"
  description          = "GitHub pushes images of ${var.name}"
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy   = local.github_trust
}

resource "aws_iam_role_policy" "publish" {
  name = "images"
  role = aws_iam_role.publish.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "LogIn"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = ["*"] # it names no repository
      },
      {
        Sid    = "PushAndReadBack"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer",
          "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage",
        ]
        Resource = var.repository_arns
      },
    ]
  })
}

resource "aws_iam_role" "deploy" {
  name                 = "${var.name}-deploy"
  description          = "GitHub reaches the cluster of ${var.name} through SSM"
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy   = local.github_trust
}

resource "aws_iam_role_policy" "deploy" {
  name = "cluster"
  role = aws_iam_role.deploy.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "FindTheServer"
        Effect   = "Allow"
        Action   = ["autoscaling:DescribeAutoScalingGroups", "ssm:DescribeInstanceInformation", "ssm:GetCommandInvocation"]
        Resource = ["*"] # descriptions cannot be narrowed
      },
      {
        Sid       = "OnItsServersOnly"
        Effect    = "Allow"
        Action    = ["ssm:SendCommand"]
        Resource  = ["${local.ec2}:instance/*"]
        Condition = { StringEquals = { "ssm:resourceTag/Cluster" = var.name } }
      },
      {
        Sid      = "Commands"
        Effect   = "Allow"
        Action   = ["ssm:SendCommand"]
        Resource = ["arn:${local.partition}:ssm:${local.region}::document/AWS-RunShellScript"]
      },
      {
        Sid      = "HandOverWhatTheyInstall"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = ["${var.artifacts_bucket_arn}/deployments/*"]
      },
    ]
  })
}
