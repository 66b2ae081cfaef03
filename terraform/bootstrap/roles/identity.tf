# Roles, and secrets. A role can be made only with the boundary of boundary.tf, so that nobody gets more by way of a new
# role than servers and GitHub's jobs need; the boundary itself, and the roles made here, cannot be changed.

locals {
  roles = "arn:${local.partition}:iam::${local.account}:role/${var.name}-*"

  identity = [
    {
      Sid       = "MakeBoundedRoles"
      Effect    = "Allow"
      Action    = ["iam:CreateRole", "iam:PutRolePolicy"]
      Resource  = [local.roles]
      Condition = { StringEquals = { "iam:PermissionsBoundary" = local.boundary_arn } }
    },
    {
      Sid    = "ChangeRoles"
      Effect = "Allow"
      Action = [
        "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies",
        "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:TagRole", "iam:UntagRole",
        "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription",
      ]
      Resource = [local.roles]
    },
    {
      Sid    = "Profiles"
      Effect = "Allow"
      Action = [
        "iam:AddRoleToInstanceProfile", "iam:CreateInstanceProfile", "iam:DeleteInstanceProfile",
        "iam:GetInstanceProfile", "iam:RemoveRoleFromInstanceProfile", "iam:TagInstanceProfile",
        "iam:UntagInstanceProfile",
      ]
      Resource = ["arn:${local.partition}:iam::${local.account}:instance-profile/${var.name}-*"]
    },
    {
      Sid       = "GiveServersTheirRole"
      Effect    = "Allow"
      Action    = ["iam:PassRole"]
      Resource  = ["arn:${local.partition}:iam::${local.account}:role/${var.name}-node"]
      Condition = { StringEquals = { "iam:PassedToService" = "ec2.amazonaws.com" } }
    },
    {
      Sid      = "FirstOfTheirKindInTheAccount"
      Effect   = "Allow"
      Action   = ["iam:CreateServiceLinkedRole"]
      Resource = ["arn:${local.partition}:iam::${local.account}:role/aws-service-role/*"]
      Condition = { StringEquals = { "iam:AWSServiceName" = [
        "autoscaling.amazonaws.com", "elasticloadbalancing.amazonaws.com", "rds.amazonaws.com",
      ] } }
    },
  ]

  secrets = [
    {
      Sid    = "Secrets" # never their values
      Effect = "Allow"
      Action = [
        "secretsmanager:CreateSecret", "secretsmanager:DeleteSecret", "secretsmanager:DescribeSecret",
        "secretsmanager:GetResourcePolicy", "secretsmanager:ListSecretVersionIds", "secretsmanager:PutSecretValue",
        "secretsmanager:TagResource", "secretsmanager:UntagResource",
      ]
      Resource = ["${local.arns.secretsmanager}:secret:${var.name}/*"]
    },
    {
      Sid      = "DatabasesOwnSecret" # RDS makes it in the caller's name
      Effect   = "Allow"
      Action   = ["secretsmanager:CreateSecret", "secretsmanager:TagResource"]
      Resource = ["${local.arns.secretsmanager}:secret:rds!db-*"]
    },
    {
      Sid      = "Dice"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetRandomPassword"]
      Resource = ["*"] # it names nothing
    },
  ]
}
