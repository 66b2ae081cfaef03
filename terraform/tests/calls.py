"""Makes, reads, changes and destroys everything of an environment, by the calls with which the AWS provider does so.

moto answers. Each function is of one service; what Terraform would name stands in `at`. A call that moto has not is not
made here: permissions.py names it, with the reason.
"""

from dataclasses import dataclass, field

from iam import ACCOUNT
from recorder import Recorder

TRUST = """{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}"""
MAKE, READ, CHANGE, DESTROY = "make", "read", "change", "destroy"


@dataclass
class Environment:
    """What is made: its names and tags, and the numbers that AWS gave."""

    recorder: Recorder
    name: str
    tags: dict[str, str]
    boundary: str
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def pairs(self) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in self.tags.items()]

    def specification(self, kind: str) -> list[dict]:
        return [{"ResourceType": kind, "Tags": self.pairs}]

    def at(self, type_: str, step: str):
        return self.recorder.at(type_, step)

    def client(self, service: str):
        return self.recorder.client(service)


def make_network(e: Environment) -> None:
    ec2 = e.client("ec2")
    with e.at("aws_availability_zones", READ):
        zone = ec2.describe_availability_zones(Filters=[{"Name": "opt-in-status", "Values": ["opt-in-not-required"]}])
        zone = zone["AvailabilityZones"][0]["ZoneName"]
    with e.at("aws_vpc", MAKE):
        vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16", TagSpecifications=e.specification("vpc"))["Vpc"]["VpcId"]
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    with e.at("aws_vpc", READ):
        ec2.describe_vpcs(VpcIds=[vpc])
        for attribute in ("enableDnsSupport", "enableDnsHostnames"):
            ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)
        ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
        ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    with e.at("aws_default_security_group", MAKE):
        group = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"][0]
        ec2.create_tags(Resources=[group["GroupId"]], Tags=e.pairs)
        ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
    with e.at("aws_subnet", MAKE):
        subnet = ec2.create_subnet(
            VpcId=vpc, CidrBlock="10.20.0.0/20", AvailabilityZone=zone, TagSpecifications=e.specification("subnet")
        )["Subnet"]["SubnetId"]
        other = ec2.create_subnet(
            VpcId=vpc, CidrBlock="10.20.16.0/20", AvailabilityZone=zone[:-1] + "b", TagSpecifications=e.specification("subnet")
        )["Subnet"]["SubnetId"]
    with e.at("aws_subnet", READ):
        ec2.describe_subnets(SubnetIds=[subnet])
    with e.at("aws_internet_gateway", MAKE):
        gateway = ec2.create_internet_gateway(TagSpecifications=e.specification("internet-gateway"))
        gateway = gateway["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    with e.at("aws_internet_gateway", READ):
        ec2.describe_internet_gateways(InternetGatewayIds=[gateway])
    with e.at("aws_route_table", MAKE):
        table = ec2.create_route_table(VpcId=vpc, TagSpecifications=e.specification("route-table"))
        table = table["RouteTable"]["RouteTableId"]
    with e.at("aws_route", MAKE):
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    with e.at("aws_route", READ):
        ec2.describe_route_tables(RouteTableIds=[table])
    with e.at("aws_route_table_association", MAKE):
        association = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    with e.at("aws_vpc_endpoint", MAKE):
        endpoint = ec2.create_vpc_endpoint(
            VpcId=vpc, ServiceName="com.amazonaws.eu-central-1.s3", VpcEndpointType="Gateway", RouteTableIds=[table],
            TagSpecifications=e.specification("vpc-endpoint"),
        )["VpcEndpoint"]["VpcEndpointId"]  # fmt: skip
    with e.at("aws_vpc_endpoint", READ):
        ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])
        ec2.describe_prefix_lists()
    with e.at("aws_vpc_endpoint", CHANGE):
        ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=[table])
    with e.at("aws_eip", MAKE):
        address = ec2.allocate_address(Domain="vpc", TagSpecifications=e.specification("elastic-ip"))["AllocationId"]
    with e.at("aws_eip", READ):
        ec2.describe_addresses(AllocationIds=[address])
        ec2.describe_addresses_attribute(AllocationIds=[address], Attribute="domain-name")
    with e.at("aws_nat_gateway", MAKE):
        nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address, TagSpecifications=e.specification("natgateway"))
        nat = nat["NatGateway"]["NatGatewayId"]
    with e.at("aws_nat_gateway", READ):
        ec2.describe_nat_gateways(NatGatewayIds=[nat])
    with e.at("aws_vpc", CHANGE):
        ec2.create_tags(Resources=[vpc], Tags=[{"Key": "More", "Value": "than before"}])
        ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "More"}])
    e.ids |= {
        "vpc": vpc, "subnet": subnet, "other": other, "gateway": gateway, "table": table, "association": association,
        "endpoint": endpoint, "address": address, "nat": nat, "zone": zone,
    }  # fmt: skip


def make_groups(e: Environment) -> None:
    ec2 = e.client("ec2")
    with e.at("aws_security_group", MAKE):
        group = ec2.create_security_group(
            GroupName=f"{e.name}-node", Description="Servers", VpcId=e.ids["vpc"],
            TagSpecifications=e.specification("security-group"),
        )["GroupId"]  # fmt: skip
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=everything)
    with e.at("aws_security_group", READ):
        ec2.describe_security_groups(GroupIds=[group])
    door = [{"IpProtocol": "tcp", "FromPort": 9696, "ToPort": 9696, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}]
    with e.at("aws_vpc_security_group_ingress_rule", MAKE):
        rule = ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=door, TagSpecifications=e.specification("security-group-rule")
        )["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    with e.at("aws_vpc_security_group_egress_rule", MAKE):
        out = ec2.authorize_security_group_egress(
            GroupId=group, IpPermissions=door, TagSpecifications=e.specification("security-group-rule")
        )["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    with e.at("aws_vpc_security_group_ingress_rule", READ):
        ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule])
    with e.at("aws_vpc_security_group_ingress_rule", CHANGE):
        changed = {"IpProtocol": "tcp", "FromPort": 9696, "ToPort": 9696, "CidrIpv4": "198.51.100.0/24"}
        ec2.modify_security_group_rules(
            GroupId=group, SecurityGroupRules=[{"SecurityGroupRuleId": rule, "SecurityGroupRule": changed}]
        )
    e.ids |= {"group": group, "rule": rule, "out": out}


def make_identity(e: Environment) -> None:
    iam, role, profile = e.client("iam"), f"{e.name}-node", f"{e.name}-node"
    with e.at("aws_iam_role", MAKE):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST, PermissionsBoundary=e.boundary, Tags=e.pairs)
    with e.at("aws_iam_role", READ):
        iam.get_role(RoleName=role)
        iam.list_role_policies(RoleName=role)
        iam.list_attached_role_policies(RoleName=role)
    with e.at("aws_iam_role", CHANGE):
        iam.update_role(RoleName=role, MaxSessionDuration=3600)
        iam.update_role_description(RoleName=role, Description="Servers")
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=TRUST)
        iam.tag_role(RoleName=role, Tags=[{"Key": "More", "Value": "than before"}])
        iam.untag_role(RoleName=role, TagKeys=["More"])
    with e.at("aws_iam_role_policy", MAKE):
        document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
        iam.put_role_policy(RoleName=role, PolicyName="buckets", PolicyDocument=document)
    with e.at("aws_iam_role_policy", READ):
        iam.get_role_policy(RoleName=role, PolicyName="buckets")
    with e.at("aws_iam_instance_profile", MAKE):
        iam.create_instance_profile(InstanceProfileName=profile, Tags=e.pairs)
        iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=role)
    with e.at("aws_iam_instance_profile", READ):
        iam.get_instance_profile(InstanceProfileName=profile)
    with e.at("aws_iam_instance_profile", CHANGE):
        iam.tag_instance_profile(InstanceProfileName=profile, Tags=[{"Key": "More", "Value": "than before"}])
        iam.untag_instance_profile(InstanceProfileName=profile, TagKeys=["More"])


def make_servers(e: Environment) -> None:
    ec2, scaling = e.client("ec2"), e.client("autoscaling")
    with e.at("aws_ebs_volume", MAKE):
        volume = ec2.create_volume(AvailabilityZone=e.ids["zone"], Size=20, TagSpecifications=e.specification("volume"))
        volume = volume["VolumeId"]
    with e.at("aws_ebs_volume", READ):
        ec2.describe_volumes(VolumeIds=[volume])
    with e.at("aws_ebs_volume", CHANGE):
        ec2.modify_volume(VolumeId=volume, Size=30)
    data = {"ImageId": "resolve:ssm:/aws/service/ami", "InstanceType": "t4g.small"}
    with e.at("aws_launch_template", MAKE):
        template = ec2.create_launch_template(
            LaunchTemplateName=f"{e.name}-server", LaunchTemplateData=data | {"ImageId": "ami-12c6146b"},
            TagSpecifications=e.specification("launch-template"),
        )["LaunchTemplate"]["LaunchTemplateId"]  # fmt: skip
    with e.at("aws_launch_template", READ):
        ec2.describe_launch_templates(LaunchTemplateIds=[template])
        ec2.describe_launch_template_versions(LaunchTemplateId=template)
    with e.at("aws_launch_template", CHANGE):
        ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData=data | {"ImageId": "ami-12c6146b"})
        ec2.modify_launch_template(LaunchTemplateId=template, DefaultVersion="2")
    servers = {"ResourceType": "instance", "Tags": [{"Key": "Cluster", "Value": e.name}]}
    with e.at("aws_autoscaling_group", MAKE):  # Auto Scaling tries so, in the caller's name
        ssm = e.client("ssm")
        ssm.get_parameters(Names=["/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"])
        refused(
            ec2, ec2.run_instances, MinCount=1, MaxCount=1, DryRun=True, LaunchTemplate={"LaunchTemplateId": template},
            SubnetId=e.ids["subnet"], SecurityGroupIds=[e.ids["group"]], TagSpecifications=[servers],
        )  # fmt: skip
        e.client("iam").create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    group = f"{e.name}-server"
    tag = {"ResourceId": group, "ResourceType": "auto-scaling-group", "Key": "Name", "Value": group, "PropagateAtLaunch": True}
    with e.at("aws_autoscaling_group", MAKE):
        scaling.create_auto_scaling_group(
            AutoScalingGroupName=group, MinSize=0, MaxSize=1, DesiredCapacity=0, Tags=[tag],
            VPCZoneIdentifier=e.ids["subnet"], LaunchTemplate={"LaunchTemplateId": template, "Version": "2"},
        )  # fmt: skip
    with e.at("aws_autoscaling_group", READ):
        scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])
        scaling.describe_scaling_activities(AutoScalingGroupName=group)
    with e.at("aws_autoscaling_group", CHANGE):
        scaling.update_auto_scaling_group(AutoScalingGroupName=group, MaxSize=1)
        scaling.create_or_update_tags(Tags=[tag | {"Key": "More"}])
        scaling.delete_tags(Tags=[{"ResourceId": group, "ResourceType": "auto-scaling-group", "Key": "More"}])
    e.ids |= {"volume": volume, "template": template}


def make_balancer(e: Environment) -> None:
    elb = e.client("elbv2")
    with e.at("aws_lb", MAKE):
        balancer = elb.create_load_balancer(Name=e.name, Type="network", Subnets=[e.ids["subnet"]], Tags=e.pairs)
        balancer = balancer["LoadBalancers"][0]["LoadBalancerArn"]
        protection = [{"Key": "deletion_protection.enabled", "Value": "false"}]
        elb.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=protection)
    with e.at("aws_lb", READ):
        elb.describe_load_balancers(LoadBalancerArns=[balancer])
        elb.describe_load_balancer_attributes(LoadBalancerArn=balancer)
        elb.describe_capacity_reservation(LoadBalancerArn=balancer)
        elb.describe_tags(ResourceArns=[balancer])
    with e.at("aws_lb", CHANGE):
        elb.add_tags(ResourceArns=[balancer], Tags=[{"Key": "More", "Value": "than before"}])
        elb.remove_tags(ResourceArns=[balancer], TagKeys=["More"])
    with e.at("aws_lb_target_group", MAKE):
        target = elb.create_target_group(
            Name=f"{e.name}-prediction", Protocol="TCP", Port=9696, VpcId=e.ids["vpc"], Tags=e.pairs
        )["TargetGroups"][0]["TargetGroupArn"]
        delay = [{"Key": "deregistration_delay.timeout_seconds", "Value": "60"}]
        elb.modify_target_group_attributes(TargetGroupArn=target, Attributes=delay)
    with e.at("aws_lb_target_group", READ):
        elb.describe_target_groups(TargetGroupArns=[target])
        elb.describe_target_group_attributes(TargetGroupArn=target)
    with e.at("aws_lb_target_group", CHANGE):
        elb.modify_target_group(TargetGroupArn=target, HealthCheckIntervalSeconds=30)
    with e.at("aws_autoscaling_group", MAKE):
        elb.describe_target_health(TargetGroupArn=target)
    forward = [{"Type": "forward", "TargetGroupArn": target}]
    with e.at("aws_lb_listener", MAKE):
        listener = elb.create_listener(LoadBalancerArn=balancer, Protocol="TCP", Port=9696, DefaultActions=forward, Tags=e.pairs)[
            "Listeners"
        ][0]["ListenerArn"]
    with e.at("aws_lb_listener", READ):
        elb.describe_listeners(ListenerArns=[listener])
        elb.describe_listener_attributes(ListenerArn=listener)
    with e.at("aws_lb_listener", CHANGE):
        elb.modify_listener(ListenerArn=listener, Port=9696)
    e.ids |= {"balancer": balancer, "target": target, "listener": listener}


def make_database(e: Environment) -> None:
    rds, group = e.client("rds"), f"{e.name}-postgres17"
    with e.at("aws_db_subnet_group", MAKE):
        rds.create_db_subnet_group(
            DBSubnetGroupName=e.name, DBSubnetGroupDescription="Private", Tags=e.pairs,
            SubnetIds=[e.ids["subnet"], e.ids["other"]],
        )  # fmt: skip
    with e.at("aws_db_subnet_group", READ):
        rds.describe_db_subnet_groups(DBSubnetGroupName=e.name)
    parameters = [{"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}]
    with e.at("aws_db_parameter_group", MAKE):
        rds.create_db_parameter_group(
            DBParameterGroupName=group, DBParameterGroupFamily="postgres17", Description="TLS only", Tags=e.pairs
        )
        rds.modify_db_parameter_group(DBParameterGroupName=group, Parameters=parameters)
    with e.at("aws_db_parameter_group", READ):
        rds.describe_db_parameter_groups(DBParameterGroupName=group)
        rds.describe_db_parameters(DBParameterGroupName=group)
    with e.at("aws_db_instance", MAKE):
        instance = rds.create_db_instance(
            DBInstanceIdentifier=e.name, Engine="postgres", EngineVersion="17", DBInstanceClass="db.t4g.micro",
            AllocatedStorage=20, MasterUsername="postgres", ManageMasterUserPassword=True, StorageEncrypted=True,
            DBSubnetGroupName=e.name, DBParameterGroupName=group, Tags=e.pairs,
        )["DBInstance"]["DBInstanceArn"]  # fmt: skip
    with e.at("aws_db_instance", READ):
        rds.describe_db_instances(DBInstanceIdentifier=e.name)
        rds.list_tags_for_resource(ResourceName=instance)
    with e.at("aws_db_instance", CHANGE):
        rds.modify_db_instance(DBInstanceIdentifier=e.name, BackupRetentionPeriod=7)
        rds.add_tags_to_resource(ResourceName=instance, Tags=[{"Key": "More", "Value": "than before"}])
        rds.remove_tags_from_resource(ResourceName=instance, TagKeys=["More"])
    watch, alarm = e.client("cloudwatch"), f"{e.name}-database-cpu"
    arn = f"arn:aws:cloudwatch:eu-central-1:{ACCOUNT}:alarm:{alarm}"
    with e.at("aws_cloudwatch_metric_alarm", MAKE):
        watch.put_metric_alarm(
            AlarmName=alarm, ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=3, MetricName="CPUUtilization",
            Namespace="AWS/RDS", Period=300, Statistic="Average", Threshold=90, Tags=e.pairs,
        )  # fmt: skip
    with e.at("aws_cloudwatch_metric_alarm", READ):
        watch.describe_alarms(AlarmNames=[alarm])
        watch.list_tags_for_resource(ResourceARN=arn)
    with e.at("aws_cloudwatch_metric_alarm", CHANGE):
        watch.tag_resource(ResourceARN=arn, Tags=[{"Key": "More", "Value": "than before"}])
        watch.untag_resource(ResourceARN=arn, TagKeys=["More"])


def make_bucket(e: Environment) -> None:
    s3, control, bucket = e.client("s3"), e.client("s3control"), f"{e.name}-data-{ACCOUNT}"
    where = {"LocationConstraint": "eu-central-1"}
    with e.at("aws_s3_bucket", MAKE):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": e.pairs})
    with e.at("aws_s3_bucket_versioning", MAKE):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    with e.at("aws_s3_bucket_versioning", READ):
        s3.get_bucket_versioning(Bucket=bucket)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    with e.at("aws_s3_bucket_server_side_encryption_configuration", MAKE):
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    with e.at("aws_s3_bucket_server_side_encryption_configuration", READ):
        s3.get_bucket_encryption(Bucket=bucket)
    with e.at("aws_s3_bucket_public_access_block", MAKE):
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    with e.at("aws_s3_bucket_public_access_block", READ):
        s3.get_public_access_block(Bucket=bucket)
    with e.at("aws_s3_bucket_policy", MAKE):
        s3.put_bucket_policy(Bucket=bucket, Policy='{"Version": "2012-10-17", "Statement": []}')
    with e.at("aws_s3_bucket_policy", READ):
        s3.get_bucket_policy(Bucket=bucket)
    expiry = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "NoncurrentVersionExpiration": {"NoncurrentDays": 30}}
    with e.at("aws_s3_bucket_lifecycle_configuration", MAKE):
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [expiry]})
    with e.at("aws_s3_bucket_lifecycle_configuration", READ):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    arn = f"arn:aws:s3:::{bucket}"
    with e.at("aws_s3_bucket", READ):
        s3.head_bucket(Bucket=bucket)
        s3.get_bucket_acl(Bucket=bucket)
        s3.get_bucket_logging(Bucket=bucket)
        s3.get_bucket_tagging(Bucket=bucket)
        s3.get_bucket_accelerate_configuration(Bucket=bucket)
        s3.get_bucket_request_payment(Bucket=bucket)
        for read in (s3.get_bucket_cors, s3.get_bucket_website, s3.get_bucket_replication, s3.get_object_lock_configuration):
            refused(s3, read, Bucket=bucket)
        control.list_tags_for_resource(AccountId=ACCOUNT, ResourceArn=arn)
    with e.at("aws_s3_bucket", CHANGE):
        control.tag_resource(AccountId=ACCOUNT, ResourceArn=arn, Tags=[{"Key": "More", "Value": "than before"}])
        control.untag_resource(AccountId=ACCOUNT, ResourceArn=arn, TagKeys=["More"])


def refused(client, call, **arguments) -> None:
    """A call that is answered by an error: of what a bucket has not, or of a try."""
    try:
        call(**arguments)
    except client.exceptions.ClientError:
        pass


def make_registry(e: Environment) -> None:
    ecr, name = e.client("ecr"), f"{e.name}/charts/underwriter"
    with e.at("aws_ecr_repository", MAKE):
        arn = ecr.create_repository(repositoryName=name, tags=e.pairs)["repository"]["repositoryArn"]
    with e.at("aws_ecr_repository", READ):
        ecr.describe_repositories(repositoryNames=[name])
        ecr.list_tags_for_resource(resourceArn=arn)
    with e.at("aws_ecr_repository", CHANGE):
        ecr.put_image_scanning_configuration(repositoryName=name, imageScanningConfiguration={"scanOnPush": True})
        ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability="IMMUTABLE")
        ecr.tag_resource(resourceArn=arn, tags=[{"Key": "More", "Value": "than before"}])
        ecr.untag_resource(resourceArn=arn, tagKeys=["More"])
    selection = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 9}
    rules = {"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]}
    with e.at("aws_ecr_lifecycle_policy", MAKE):
        ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=str(rules).replace("'", '"'))
    with e.at("aws_ecr_lifecycle_policy", READ):
        ecr.get_lifecycle_policy(repositoryName=name)


def make_secrets(e: Environment) -> None:
    secrets, ssm = e.client("secretsmanager"), e.client("ssm")
    with e.at("aws_secretsmanager_secret", MAKE):
        arn = secrets.create_secret(Name=f"{e.name}/kaggle", Tags=e.pairs)["ARN"]
    with e.at("aws_secretsmanager_secret", READ):
        secrets.describe_secret(SecretId=arn)
        secrets.get_resource_policy(SecretId=arn)
    with e.at("aws_secretsmanager_secret", CHANGE):
        secrets.tag_resource(SecretId=arn, Tags=[{"Key": "More", "Value": "than before"}])
        secrets.untag_resource(SecretId=arn, TagKeys=["More"])
    with e.at("aws_secretsmanager_random_password", READ):
        password = secrets.get_random_password(PasswordLength=64)["RandomPassword"]
    with e.at("aws_secretsmanager_secret_version", MAKE):
        secrets.put_secret_value(SecretId=arn, SecretString=password)
    with e.at("aws_secretsmanager_secret_version", READ):
        secrets.list_secret_version_ids(SecretId=arn)
    name = f"/{e.name}/release"
    with e.at("aws_ssm_parameter", MAKE):
        ssm.put_parameter(Name=name, Value="{}", Type="String", Tags=e.pairs)
    with e.at("aws_ssm_parameter", READ):
        ssm.get_parameter(Name=name)
        ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [name]}])
        ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)
    with e.at("aws_ssm_parameter", CHANGE):
        ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId=name, Tags=[{"Key": "More", "Value": "than before"}])
        ssm.remove_tags_from_resource(ResourceType="Parameter", ResourceId=name, TagKeys=["More"])
    e.ids["secret"] = arn


def keep_state(e: Environment, environment: str, bucket: str) -> None:
    s3, key = e.client("s3"), f"{environment}/terraform.tfstate"
    with e.at("state", READ):
        s3.list_objects_v2(Bucket=bucket, Prefix=f"{environment}/")
    with e.at("state", MAKE):
        s3.put_object(Bucket=bucket, Key=key + ".tflock", Body=b"")
        s3.put_object(Bucket=bucket, Key=key, Body=b"{}")
    with e.at("state", READ):
        s3.get_object(Bucket=bucket, Key=key)
    with e.at("state", DESTROY):
        s3.delete_object(Bucket=bucket, Key=key + ".tflock")


def destroy(e: Environment) -> None:
    """Everything again, the last first."""
    ids, ec2, scaling, elb = e.ids, e.client("ec2"), e.client("autoscaling"), e.client("elbv2")
    rds, s3, iam = e.client("rds"), e.client("s3"), e.client("iam")
    with e.at("aws_ssm_parameter", DESTROY):
        e.client("ssm").delete_parameter(Name=f"/{e.name}/release")
    with e.at("aws_autoscaling_group", DESTROY):
        scaling.update_auto_scaling_group(AutoScalingGroupName=f"{e.name}-server", MinSize=0, MaxSize=0, DesiredCapacity=0)
        scaling.delete_auto_scaling_group(AutoScalingGroupName=f"{e.name}-server")
    with e.at("aws_launch_template", DESTROY):
        ec2.delete_launch_template(LaunchTemplateId=ids["template"])
    with e.at("aws_lb_listener", DESTROY):
        elb.delete_listener(ListenerArn=ids["listener"])
    with e.at("aws_lb", DESTROY):
        elb.delete_load_balancer(LoadBalancerArn=ids["balancer"])
        ec2.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [ids["vpc"]]}])
    with e.at("aws_lb_target_group", DESTROY):
        elb.delete_target_group(TargetGroupArn=ids["target"])
    with e.at("aws_ebs_volume", DESTROY):
        ec2.create_snapshot(VolumeId=ids["volume"], TagSpecifications=e.specification("snapshot"))
        ec2.describe_snapshots(OwnerIds=["self"])
        ec2.delete_volume(VolumeId=ids["volume"])
    with e.at("aws_secretsmanager_secret", DESTROY):
        e.client("secretsmanager").delete_secret(SecretId=ids["secret"], ForceDeleteWithoutRecovery=True)
    with e.at("aws_cloudwatch_metric_alarm", DESTROY):
        e.client("cloudwatch").delete_alarms(AlarmNames=[f"{e.name}-database-cpu"])
    with e.at("aws_db_instance", DESTROY):
        rds.delete_db_instance(DBInstanceIdentifier=e.name, FinalDBSnapshotIdentifier=f"{e.name}-final")
    with e.at("aws_db_parameter_group", DESTROY):
        rds.delete_db_parameter_group(DBParameterGroupName=f"{e.name}-postgres17")
    with e.at("aws_db_subnet_group", DESTROY):
        rds.delete_db_subnet_group(DBSubnetGroupName=e.name)
    with e.at("aws_ecr_lifecycle_policy", DESTROY):
        e.client("ecr").delete_lifecycle_policy(repositoryName=f"{e.name}/charts/underwriter")
    with e.at("aws_ecr_repository", DESTROY):
        e.client("ecr").delete_repository(repositoryName=f"{e.name}/charts/underwriter", force=True)
    destroy_bucket(e, s3)
    destroy_identity(e, iam)
    destroy_network(e, ec2)


def destroy_bucket(e: Environment, s3) -> None:
    bucket = f"{e.name}-data-{ACCOUNT}"
    with e.at("aws_s3_bucket_policy", DESTROY):
        s3.delete_bucket_policy(Bucket=bucket)
    with e.at("aws_s3_bucket_lifecycle_configuration", DESTROY):
        s3.delete_bucket_lifecycle(Bucket=bucket)
    with e.at("aws_s3_bucket_server_side_encryption_configuration", DESTROY):
        s3.delete_bucket_encryption(Bucket=bucket)
    with e.at("aws_s3_bucket_public_access_block", DESTROY):
        s3.delete_public_access_block(Bucket=bucket)
    with e.at("aws_s3_bucket", DESTROY):
        s3.list_object_versions(Bucket=bucket)
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "key"}]})
        for version in s3.list_object_versions(Bucket=bucket).get("DeleteMarkers", []):
            s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "key", "VersionId": version["VersionId"]}]})
        s3.delete_bucket(Bucket=bucket)


def destroy_identity(e: Environment, iam) -> None:
    role, profile = f"{e.name}-node", f"{e.name}-node"
    with e.at("aws_iam_instance_profile", DESTROY):
        iam.remove_role_from_instance_profile(InstanceProfileName=profile, RoleName=role)
        iam.delete_instance_profile(InstanceProfileName=profile)
    with e.at("aws_iam_role_policy", DESTROY):
        iam.delete_role_policy(RoleName=role, PolicyName="buckets")
    with e.at("aws_iam_role", DESTROY):
        iam.list_instance_profiles_for_role(RoleName=role)
        iam.delete_role(RoleName=role)


def destroy_network(e: Environment, ec2) -> None:
    ids = e.ids
    with e.at("aws_vpc_security_group_ingress_rule", DESTROY):
        ec2.revoke_security_group_ingress(GroupId=ids["group"], SecurityGroupRuleIds=[ids["rule"]])
    with e.at("aws_vpc_security_group_egress_rule", DESTROY):
        ec2.revoke_security_group_egress(GroupId=ids["group"], SecurityGroupRuleIds=[ids["out"]])
    with e.at("aws_security_group", DESTROY):
        ec2.describe_network_interfaces(Filters=[{"Name": "group-id", "Values": [ids["group"]]}])
        ec2.delete_security_group(GroupId=ids["group"])
    with e.at("aws_nat_gateway", DESTROY):
        ec2.delete_nat_gateway(NatGatewayId=ids["nat"])
    with e.at("aws_eip", DESTROY):
        ec2.release_address(AllocationId=ids["address"])
    with e.at("aws_vpc_endpoint", DESTROY):
        ec2.delete_vpc_endpoints(VpcEndpointIds=[ids["endpoint"]])
    with e.at("aws_route_table_association", DESTROY):
        ec2.disassociate_route_table(AssociationId=ids["association"])
    with e.at("aws_route", DESTROY):
        ec2.delete_route(RouteTableId=ids["table"], DestinationCidrBlock="0.0.0.0/0")
    with e.at("aws_route_table", DESTROY):
        ec2.delete_route_table(RouteTableId=ids["table"])
    with e.at("aws_internet_gateway", DESTROY):
        ec2.detach_internet_gateway(InternetGatewayId=ids["gateway"], VpcId=ids["vpc"])
        ec2.delete_internet_gateway(InternetGatewayId=ids["gateway"])
    with e.at("aws_subnet", DESTROY):
        for subnet in ("subnet", "other"):
            ec2.delete_subnet(SubnetId=ids[subnet])
    with e.at("aws_vpc", DESTROY):
        ec2.delete_vpc(VpcId=ids["vpc"])


MAKERS = (
    make_network,
    make_groups,
    make_identity,
    make_servers,
    make_balancer,
    make_database,
    make_bucket,
    make_registry,
    make_secrets,
)
