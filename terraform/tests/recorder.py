"""Records which permissions calls of the AWS SDK ask for, as AWS would: the action, the resources by their ARNs, and the
keys that conditions see. moto answers the calls.
"""

import re
from collections import defaultdict
from contextlib import contextmanager
from typing import Iterator

import boto3
from iam import ACCOUNT, REGION, Request, definition

# The SDK's names of services, and of calls, where IAM has others.
SERVICES = {"elbv2": "elasticloadbalancing", "s3control": "s3"}
ACTIONS = {
    "HeadBucket": ["ListBucket"],
    "ListObjectVersions": ["ListBucketVersions"],
    "DeleteBucketEncryption": ["PutEncryptionConfiguration"],
    "DeleteBucketLifecycle": ["PutLifecycleConfiguration"],
    "DeletePublicAccessBlock": ["PutBucketPublicAccessBlock"],
    "DeleteObjects": ["DeleteObject", "DeleteObjectVersion"],
    "GetBucketAccelerateConfiguration": ["GetAccelerateConfiguration"],
    "GetBucketCors": ["GetBucketCORS"],
    "GetBucketEncryption": ["GetEncryptionConfiguration"],
    "GetBucketLifecycleConfiguration": ["GetLifecycleConfiguration"],
    "GetBucketReplication": ["GetReplicationConfiguration"],
    "GetObjectLockConfiguration": ["GetBucketObjectLockConfiguration"],
    "GetPublicAccessBlock": ["GetBucketPublicAccessBlock"],
    "ListObjectsV2": ["ListBucket"],
    "PutBucketEncryption": ["PutEncryptionConfiguration"],
    "PutBucketLifecycleConfiguration": ["PutLifecycleConfiguration"],
    "PutPublicAccessBlock": ["PutBucketPublicAccessBlock"],
}
# What AWS asks for as well where something is made with tags.
TAGGING = {
    "autoscaling": "CreateOrUpdateTags",
    "ec2": "CreateTags",
    "ecr": "TagResource",
    "elasticloadbalancing": "AddTags",
    "rds": "AddTagsToResource",
    "s3": "TagResource",
    "secretsmanager": "TagResource",
    "ssm": "AddTagsToResource",
    "cloudwatch": "TagResource",
}
IAM_TAGGING = {"CreateRole": "TagRole", "CreateInstanceProfile": "TagInstanceProfile"}
EC2_KINDS = {
    "eipalloc": "elastic-ip",
    "igw": "internet-gateway",
    "lt": "launch-template",
    "nat": "natgateway",
    "rtb": "route-table",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "snap": "snapshot",
    "subnet": "subnet",
    "vol": "volume",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}
# Parameters by which a service's calls name a resource, and how its ARN ends.
NAMED = {
    "autoscaling": {"AutoScalingGroupName": "autoScalingGroup:1:autoScalingGroupName/{}"},
    "cloudwatch": {"AlarmName": "alarm:{}"},
    "ecr": {"repositoryName": "repository/{}"},
    "iam": {"RoleName": "role/{}", "InstanceProfileName": "instance-profile/{}"},
    "rds": {"DBInstanceIdentifier": "db:{}", "DBParameterGroupName": "pg:{}", "DBSubnetGroupName": "subgrp:{}"},
    "secretsmanager": {"Name": "secret:{}-AbCdEf", "SecretId": "secret:{}-AbCdEf"},
    "ssm": {"Name": "parameter{}", "ResourceId": "parameter{}"},
}
BALANCER = {"CreateLoadBalancer": "loadbalancer/net/{}/1", "CreateTargetGroup": "targetgroup/{}/1"}


def texts(value) -> Iterator[str]:
    """Every text in a call's parameters."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def tags_of(parameters: dict) -> dict[str, str]:
    """The tags that a call gives to what it makes."""
    found = parameters.get("Tags") or parameters.get("tags") or []
    for specification in parameters.get("TagSpecifications", []):
        found = found + specification["Tags"]
    found = found + parameters.get("CreateBucketConfiguration", {}).get("Tags", [])
    return {tag.get("Key", tag.get("key")): tag.get("Value", tag.get("value")) for tag in found if isinstance(tag, dict)}


def named(service: str, call: str, parameters: dict) -> list[str]:
    """The resources that a call names, but for EC2's. moto takes every load balancer for one of applications."""
    if service == "s3":
        if "ResourceArn" in parameters or "resourceArn" in parameters:
            return [parameters.get("ResourceArn") or parameters["resourceArn"]]
        bucket = f"arn:aws:s3:::{parameters['Bucket']}"
        inside = f"/{parameters['Key']}" if "Key" in parameters else "/key" if call == "DeleteObjects" else ""
        return [bucket + inside]
    start = f"arn:aws:{service}:{'' if service == 'iam' else REGION}:{ACCOUNT}:"
    found = [text.replace("/app/", "/net/") for text in texts(parameters) if text.startswith(start) and "policy/" not in text]
    if call == "CreateServiceLinkedRole":
        return [f"{start}role/aws-service-role/{parameters['AWSServiceName']}/AWSServiceRole"]
    if call == "GetParameters":  # AWS's own parameters are of no account
        return [f"arn:aws:ssm:{REGION}::parameter{name}" for name in parameters["Names"]]
    if service == "autoscaling" and "Tags" in call:
        return [start + NAMED[service]["AutoScalingGroupName"].format(tag["ResourceId"]) for tag in parameters["Tags"]]
    patterns = {"Name": BALANCER[call]} if call in BALANCER else NAMED.get(service, {})
    for parameter, pattern in patterns.items():
        value = parameters.get(parameter) or parameters.get(parameter + "s") or []
        found += [
            start + pattern.format(one) for one in ([value] if isinstance(value, str) else value) if not one.startswith("arn:")
        ]
    return found


class Recorder:
    """A session whose calls are recorded: `asked` has each request with what it was made for."""

    def __init__(self) -> None:
        self.session = boto3.Session("key", "secret", region_name=REGION)
        self.session.events.register("before-parameter-build", self._before)
        self.asked: list[Request] = []
        self.uses: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._for = ("", "")
        self._quiet = False

    def client(self, service: str):
        return self.session.client(service)

    @contextmanager
    def at(self, type_: str, step: str) -> Iterator[None]:
        """What is done with a resource of Terraform's: make, read, change or destroy."""
        before, self._for = self._for, (type_, step)
        yield
        self._for = before

    def ask(self, action: str, resource: str, keys: dict[str, str]) -> None:
        self.asked.append(Request(action, resource, tuple(sorted(keys.items()))))
        self.uses[action][self._for[0]].add(self._for[1])

    def _before(self, params: dict, model, **_) -> None:
        if self._quiet:
            return
        self._quiet = True
        try:
            self._call(model.service_model.service_name, model.name, params)
        finally:
            self._quiet = False

    def _call(self, service: str, call: str, params: dict) -> None:
        service = SERVICES.get(service, service)
        for name in ACTIONS.get(call, [call]) if service == "s3" else [call]:
            if service == "ec2":
                self._ec2(name, params)
            else:
                self._other(service, name, call, params)

    def _other(self, service: str, name: str, call: str, params: dict) -> None:
        action, tags = f"{service}:{name}", {f"aws:RequestTag/{key}": value for key, value in tags_of(params).items()}
        found = named(service, call, params)
        if set((definition(action) or {"resource_types": {}})["resource_types"]) == {""} and service != "s3":
            found = ["*"]
        if service == "iam":
            found = [arn for arn in found if arn.split(":")[5].split("/")[0] in (definition(action) or {})["resource_types"]]
        keys = tags | (self._boundary(params) if service == "iam" else {})
        if "AWSServiceName" in params:
            keys["iam:AWSServiceName"] = params["AWSServiceName"]
        for resource in found:
            self.ask(action, resource, keys)
        tagging = IAM_TAGGING.get(name) if service == "iam" else TAGGING.get(service)
        if tags and tagging and not name.startswith(("Tag", "AddTags", "CreateOrUpdate")):
            for resource in found:
                self.ask(f"{service}:{tagging}", resource, tags)

        self._along(service, name, params)

    def _along(self, service: str, name: str, params: dict) -> None:
        """What AWS asks for as well because one service works for another in the caller's name."""
        tags = {f"aws:RequestTag/{key}": value for key, value in tags_of(params).items()}
        if (service, name) == ("rds", "CreateDBInstance"):
            for action in ("CreateSecret", "TagResource"):
                self.ask(f"secretsmanager:{action}", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds!db-1-AbCdEf", {})
            self.ask(f"rds:{name}", f"arn:aws:rds:{REGION}:{ACCOUNT}:og:default:postgres-17", tags)
        elif (service, name) == ("rds", "DeleteDBInstance") and "FinalDBSnapshotIdentifier" in params:
            snapshot = f"arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:{params['FinalDBSnapshotIdentifier']}"
            self.ask("rds:CreateDBSnapshot", snapshot, {})
            self.ask("rds:AddTagsToResource", snapshot, {})
        elif (service, name) == ("iam", "AddRoleToInstanceProfile"):
            self.ask(
                "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/{params['RoleName']}", {"iam:PassedToService": "ec2.amazonaws.com"}
            )

    def _boundary(self, params: dict) -> dict[str, str]:
        """The boundary that a role is given, or has."""
        bound = params.get("PermissionsBoundary")
        if not bound and "PolicyDocument" in params:
            role = self.client("iam").get_role(RoleName=params["RoleName"])["Role"]
            bound = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return {"iam:PermissionsBoundary": bound} if bound else {}

    def _ec2(self, name: str, params: dict) -> None:
        """What exists is asked for by its number, with its tags; what is made has those of the call."""
        action = f"ec2:{name}"
        types = definition(action)["resource_types"]
        tags = {f"aws:RequestTag/{key}": value for key, value in tags_of(params).items()}
        if name == "RunInstances":
            template = params["LaunchTemplate"]["LaunchTemplateId"]
            tags["ec2:LaunchTemplate"] = f"arn:aws:ec2:{REGION}:{ACCOUNT}:launch-template/{template}"
        existing = self._existing(params, types)
        made = [kind for kind, known in types.items() if self._makes(kind, known, tags)]
        for arn, keys in existing.items():
            self.ask(action, arn, keys | tags)
        for kind in made:
            self.ask(action, f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/new", tags)
            if tags and name != "CreateTags":
                self.ask("ec2:CreateTags", f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/new", tags | {"ec2:CreateAction": name})
        if not existing and not made:
            self.ask(action, "*", tags)

    @staticmethod
    def _makes(kind: str, known: dict, tags: dict) -> bool:
        can = any(key.startswith("aws:RequestTag") for key in known["condition_keys"]) and kind != ""
        return can and (known["required"] or (kind in ("security-group-rule", "volume") and bool(tags)))

    def _meant(self, params: dict) -> Iterator[str]:
        """The numbers in a call; that of an association stands for the route table that has it."""
        for text in texts(params):
            if text.startswith("rtbassoc-"):
                has = [{"Name": "association.route-table-association-id", "Values": [text]}]
                yield self.client("ec2").describe_route_tables(Filters=has)["RouteTables"][0]["RouteTableId"]
            else:
                yield text

    def _existing(self, params: dict, types: dict) -> dict[str, dict[str, str]]:
        found = {}
        for text in self._meant(params):
            match = re.fullmatch(r"([a-z]+)-[0-9a-f]+", text)
            kind = EC2_KINDS.get(match.group(1)) if match else None
            if kind in types:
                listed = self.client("ec2").describe_tags(Filters=[{"Name": "resource-id", "Values": [text]}])["Tags"]
                tags = {f"aws:ResourceTag/{tag['Key']}": tag["Value"] for tag in listed}
                found[f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/{text}"] = tags
        return found
