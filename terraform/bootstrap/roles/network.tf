# The network. EC2 gives resources numbers, not names, so tags say whose they are: nothing is made without them, and
# nothing else is touched.

locals {
  network = [
    {
      Sid    = "SeeNetworks"
      Effect = "Allow"
      Action = [
        "ec2:DescribeAddresses", "ec2:DescribeAddressesAttribute", "ec2:DescribeAvailabilityZones",
        "ec2:DescribeInternetGateways", "ec2:DescribeNatGateways", "ec2:DescribeNetworkAcls",
        "ec2:DescribeNetworkInterfaces", "ec2:DescribePrefixLists", "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
        "ec2:DescribeVpcAttribute", "ec2:DescribeVpcEndpoints", "ec2:DescribeVpcs",
      ]
      Resource = ["*"] # descriptions cannot be narrowed
    },
    # Making something in a network also uses the network, which must be ours: hence one statement for what stands alone,
    # one for what lies in a network, one for what lies between things in it.
    {
      Sid       = "MakeNetwork"
      Effect    = "Allow"
      Action    = ["ec2:AllocateAddress", "ec2:CreateVpc"]
      Resource  = [for kind in ["elastic-ip", "vpc"] : "${local.arns.ec2}:${kind}/*"]
      Condition = local.tagging
    },
    {
      Sid       = "MakeInNetwork"
      Effect    = "Allow"
      Action    = ["ec2:CreateInternetGateway", "ec2:CreateRouteTable", "ec2:CreateSecurityGroup", "ec2:CreateSubnet"]
      Resource  = [for kind in ["internet-gateway", "route-table", "security-group", "subnet"] : "${local.arns.ec2}:${kind}/*"]
      Condition = local.tagging
    },
    {
      Sid    = "MakeBetween"
      Effect = "Allow"
      Action = [
        "ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress",
        "ec2:CreateNatGateway", "ec2:CreateVpcEndpoint",
      ]
      Resource  = [for kind in ["natgateway", "security-group-rule", "vpc-endpoint"] : "${local.arns.ec2}:${kind}/*"]
      Condition = local.tagging
    },
    {
      Sid    = "ChangeOurs"
      Effect = "Allow"
      Action = [
        "ec2:AssociateRouteTable", "ec2:AttachInternetGateway", "ec2:AuthorizeSecurityGroupEgress",
        "ec2:AuthorizeSecurityGroupIngress", "ec2:CreateNatGateway", "ec2:CreateRoute", "ec2:CreateRouteTable",
        "ec2:CreateSecurityGroup", "ec2:CreateSubnet", "ec2:CreateVpcEndpoint", "ec2:DeleteInternetGateway",
        "ec2:DeleteNatGateway", "ec2:DeleteRoute", "ec2:DeleteRouteTable", "ec2:DeleteSecurityGroup",
        "ec2:DeleteSubnet", "ec2:DeleteVpc", "ec2:DeleteVpcEndpoints", "ec2:DetachInternetGateway",
        "ec2:DisassociateRouteTable", "ec2:ModifySecurityGroupRules",
        "ec2:ModifyVpcAttribute", "ec2:ModifyVpcEndpoint", "ec2:ReleaseAddress",
        "ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress",
      ]
      Resource  = ["${local.arns.ec2}:*"]
      Condition = local.tagged
    },
    {
      Sid      = "TagWhatIsMade"
      Effect   = "Allow"
      Action   = ["ec2:CreateTags"]
      Resource = ["${local.arns.ec2}:*"]
      Condition = {
        StringEquals = merge(local.tagging.StringEquals, {
          "ec2:CreateAction" = [
            "AllocateAddress", "AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "CreateInternetGateway",
            "CreateLaunchTemplate", "CreateNatGateway", "CreateRouteTable", "CreateSecurityGroup", "CreateSnapshot",
            "CreateSubnet", "CreateVolume", "CreateVpc", "CreateVpcEndpoint",
          ]
        })
      }
    },
    {
      Sid       = "TagOurs"
      Effect    = "Allow"
      Action    = ["ec2:CreateTags", "ec2:DeleteTags"]
      Resource  = ["${local.arns.ec2}:*"]
      Condition = local.tagged
    },
    # AWS itself makes a network's default group, without a tag: it may be taken over as long as it is nobody's.
    {
      Sid      = "TakeOverDefaultGroup"
      Effect   = "Allow"
      Action   = ["ec2:CreateTags"]
      Resource = ["${local.arns.ec2}:security-group/*"]
      Condition = {
        StringEquals = local.tagging.StringEquals
        Null         = { "aws:ResourceTag/Project" = "true" }
      }
    },
  ]
}
