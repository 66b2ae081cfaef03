#!/usr/bin/env python3
"""Whether the roles of terraform/bootstrap and modules/identity may do what is needed, and nothing else.

    ./policies.py            checks
    ./policies.py --write    writes bootstrap/permissions.md anew

Every action exists; can be allowed at all, by the resources and condition keys that AWS knows it by; and is needed: moto
records it while everything of an environment is made, read, changed and destroyed by the AWS SDK, or UNRECORDED says why it
cannot. Every request so recorded is allowed, and the same requests for another environment's resources are refused. The
boundary lets through all that the roles under it are given.
"""

import re
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import boto3
import calls
import iam
from iam import ACCOUNT, REGION, Request
from moto import mock_aws
from recorder import ACTIONS, Recorder
from results import Failed, Results, expect
from tofu import types_used

SOURCE = iam.SOURCE
TABLE = SOURCE / "bootstrap/permissions.md"
NAME, OTHER = "underwriter-dev", "underwriter-prod"
TAGS = {"Project": "underwriter", "Environment": "development"}
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/underwriter-boundary-development"
STATE = f"underwriter-state-{ACCOUNT}"
LIMIT = 6144  # characters of a policy, as IAM counts them

# What moto does not have, by the type that needs it, with the reason.
UNRECORDED = {
    "autoscaling:CancelInstanceRefresh": (
        "aws_autoscaling_group",
        "a newer template while servers are being replaced; not in moto",
    ),
    "autoscaling:DescribeInstanceRefreshes": ("aws_autoscaling_group", "waits for the one that was cancelled; not in moto"),
    "autoscaling:StartInstanceRefresh": ("aws_autoscaling_group", "a new template replaces the servers; not in moto"),
    "rds:ModifyDBSubnetGroup": ("aws_db_subnet_group", "other subnets; moto loses the group"),
    "rds:ResetDBParameterGroup": ("aws_db_parameter_group", "a parameter that is no longer set; not in moto"),
}
# Types that need no right of their own: AWS tells everybody who they are, or the calls are another type's.
FREE = {
    "aws_caller_identity": "sts:GetCallerIdentity is always allowed",
    "aws_partition": "known without a call",
    "aws_region": "known without a call",
    "aws_subnets": "as aws_subnet",
}


# Resources that AWS's list wants named for an action, where ours are of the other kind.
NOT_OURS = {"listener/app": "of application load balancers", "snapshot-tenant-database": "of Oracle"}


# Scripts that call AWS by its command line, and the role that they run in.
SCRIPTS = {
    "terraform/modules/cluster/user-data/scripts": "node",
    "scripts/deploy/remote.sh": "deploy",
}
CALLS = {
    ".sh": re.compile(r"\baws ([a-z0-9]+) ([a-z0-9-]+)"),
    ".py": re.compile(r'(?:(?:aws|attempt)\(|"aws", )"([a-z0-9]+)", "([a-z0-9-]+)"'),
}
# Commands that are not calls of AWS by their own name.
COMMANDS = {("s3", "cp"): {"s3:GetObject", "s3:PutObject"}}
ROW = re.compile(r"^\| (\w+) \| `([^`]+)` \| .{5,} \|$", re.MULTILINE)


def record() -> Recorder:
    """Makes, reads, changes and destroys everything."""
    with mock_aws():
        where = {"LocationConstraint": REGION}
        boto3.client("s3", REGION, aws_access_key_id="a", aws_secret_access_key="b").create_bucket(
            Bucket=STATE, CreateBucketConfiguration=where
        )
        recorder = Recorder()
        environment = calls.Environment(recorder, NAME, TAGS, BOUNDARY)
        calls.keep_state(environment, "development", STATE)
        for make in calls.MAKERS:
            make(environment)
        calls.destroy(environment)
    return recorder


def actions(statements: list[dict]) -> set[str]:
    return {action for statement in statements for action in iam.listed(statement["Action"])}


def check_exist(statements: list[dict]) -> None:
    unknown = sorted(action for action in actions(statements) if not iam.definition(action))
    expect(not unknown, f"no such action: {unknown}")


def check_size(found: dict[str, dict]) -> None:
    for address, policy in found.items():
        length = len(iam.json.dumps(policy, separators=(",", ":")))
        expect(length <= LIMIT, f"{address} has {length} characters, and IAM takes {LIMIT}")


def known_key(key: str, known: list[str]) -> bool:
    """Whether a condition's key is among those that AWS knows, ${TagKey} standing for any tag."""
    return any(fnmatchcase(key, one.replace("${TagKey}", "*").replace("tag-key", "*")) for one in known)


def reachable(statement: dict, action: str, kind: str) -> bool:
    """Whether a statement can ever speak of an action on a type of resource."""
    service = action.split(":")[0]
    types = iam.definition(action)["resource_types"]
    patterns = iam.listed(statement["Resource"])
    if kind:
        arn = iam.arn_of_type(service, kind)
        if not any(overlap(arn, pattern) for pattern in patterns):
            return False
    keys = {key for lines in statement.get("Condition", {}).values() for key in lines}
    known = types.get(kind, {}).get("condition_keys", []) + types.get("", {}).get("condition_keys", [])
    return all(known_key(key, known + ["aws:RequestTag/${TagKey}"] * (kind == "")) for key in keys)


def overlap(arn: str, pattern: str) -> bool:
    """Whether an ARN with variables in it and a pattern can mean the same resource: part by part, * and ${…} being anything."""
    ours, theirs = pattern.split(":", 5), arn.split(":", 5)
    if pattern == "*":
        return True
    loose = ["*" if "${" in part and part.startswith("${") else part for part in theirs[:5]]
    if not all(a == b or "*" in (a, b) or "" in (a, b) for a, b in zip(ours[:5], loose)):
        return False
    kind = theirs[5].split("${")[0]
    return ours[5] == "*" or not kind or ours[5].startswith(kind) or fnmatchcase(kind, ours[5])


def check_reachable(statements: list[dict]) -> None:
    """Each action has, for each resource that AWS wants named, a statement that can allow it."""
    lost = []
    for action in sorted(actions(statements)):
        types = iam.definition(action)["resource_types"]
        wanted = [kind for kind, known in types.items() if known["required"] and kind not in NOT_OURS]
        ours = [statement for statement in statements if action in statement["Action"]]
        lost += [f"{action} on {kind}" for kind in wanted if not any(reachable(s, action, kind) for s in ours)]
        if not wanted and not any(reachable(statement, action, kind) for statement in ours for kind in types):
            lost.append(action)
    expect(not lost, "no statement can allow: " + ", ".join(lost))


def check_needed(statements: list[dict], recorder: Recorder) -> None:
    """Nothing is allowed that no call needs, and nothing is said to be unrecorded that is recorded."""
    idle = sorted(actions(statements) - recorder.uses.keys() - UNRECORDED.keys())
    expect(not idle, f"allowed, but no call needs it: {idle}")
    stale = sorted(UNRECORDED.keys() & recorder.uses.keys() | (UNRECORDED.keys() - actions(statements)))
    expect(not stale, f"UNRECORDED names what is recorded, or not allowed: {stale}")


def check_allowed(statements: list[dict], asked: list[Request]) -> None:
    refused = sorted({str(request) for request in asked if not iam.allowed(statements, request)})
    expect(not refused, "needed, but refused:\n" + "\n".join(refused))


def of_other(request: Request) -> Request:
    """The same request for a resource of the other environment."""
    swap = {NAME: OTHER, "development": "production", BOUNDARY: BOUNDARY}
    keys = tuple((key, swap.get(value, value)) for key, value in request.keys)
    resource = request.resource.replace(NAME, OTHER).replace("/development/", "/production/")
    return Request(request.action, resource, keys)


def check_other(statements: list[dict], asked: list[Request]) -> None:
    """What changes another environment's resources is refused, as is what makes them in its name.

    AWS's own options of databases are nobody's, and are asked for beside the database itself.
    """
    changes = {of_other(request) for request in asked if of_other(request) != request and ":og:default:" not in request.resource}
    changes = {request for request in changes if not request.action.split(":")[1].startswith(("Describe", "Get", "List"))}
    let = sorted(str(request) for request in changes if iam.allowed(statements, request))
    expect(len(changes) > 100, f"only {len(changes)} requests tried")
    expect(not let, "let through to the other environment:\n" + "\n".join(let))


def bad_requests() -> dict[str, Request]:
    """What a role that applies must never be able to do."""
    role, ec2 = f"arn:aws:iam::{ACCOUNT}:role/", f"arn:aws:ec2:{REGION}:{ACCOUNT}:"
    ours = tuple((f"aws:RequestTag/{key}", value) for key, value in TAGS.items())
    return {
        "a role without the boundary": Request("iam:CreateRole", f"{role}{NAME}-more"),
        "a role with another boundary": Request(
            "iam:CreateRole", f"{role}{NAME}-more", (("iam:PermissionsBoundary", "arn:aws:iam::aws:policy/AdministratorAccess"),)
        ),
        "more rights for itself": Request(
            "iam:PutRolePolicy", f"{role}underwriter-deploy-development", (("iam:PermissionsBoundary", BOUNDARY),)
        ),
        "another's trust in itself": Request("iam:UpdateAssumeRolePolicy", f"{role}underwriter-deploy-production"),
        "a wider boundary": Request("iam:CreatePolicyVersion", BOUNDARY),
        "a role without its boundary": Request("iam:DeleteRolePermissionsBoundary", f"{role}{NAME}-node"),
        "an attached policy": Request("iam:AttachRolePolicy", f"{role}{NAME}-node", (("iam:PermissionsBoundary", BOUNDARY),)),
        "a user": Request("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/{NAME}-somebody"),
        "a key": Request("iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/{NAME}-somebody"),
        "its role for another service": Request(
            "iam:PassRole", f"{role}{NAME}-node", (("iam:PassedToService", "lambda.amazonaws.com"),)
        ),
        "a secret's value": Request(
            "secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{NAME}/kaggle-AbCdEf"
        ),
        "the other environment's state": Request("s3:GetObject", f"arn:aws:s3:::{STATE}/production/terraform.tfstate"),
        "bootstrap's state": Request("s3:PutObject", f"arn:aws:s3:::{STATE}/bootstrap/terraform.tfstate"),
        "its own state gone": Request("s3:DeleteObject", f"arn:aws:s3:::{STATE}/development/terraform.tfstate"),
        "another's group taken over": Request(
            "ec2:CreateTags", f"{ec2}security-group/sg-1", ours + (("aws:ResourceTag/Project", "another"),)
        ),
        "a machine by no template": Request("ec2:RunInstances", f"{ec2}instance/i-1"),
        "a network without tags": Request("ec2:CreateVpc", f"{ec2}vpc/vpc-1"),
    }


def check_types(recorder: Recorder) -> None:
    """Every type that terraform/ uses beside bootstrap is made by calls.py, or is free; and no other is."""
    used = set().union(*(types for folder in ("modules", "environments") for types in types_used(SOURCE / folder)))
    known = {type_ for uses in recorder.uses.values() for type_ in uses} - {"state"}
    missing, idle = sorted(used - known - FREE.keys()), sorted(known - used)
    expect(not missing, f"calls.py makes none of {missing}: what may a role need for them?")
    expect(not idle, f"calls.py makes {idle}, which no module has")


def check_roles_within_boundary(bound: list[dict], found: dict[str, dict]) -> None:
    """Each right that a role of modules/identity has is within the boundary, resource by resource."""
    lost = []
    for address, policy in found.items():
        for statement in policy["Statement"]:
            keys = condition_keys(statement)
            for action in iam.listed(statement["Action"]):
                lost += [
                    f"{address}: {action} on {resource}"
                    for resource in iam.listed(statement["Resource"])
                    if not iam.allowed(bound, Request(action, resource.replace("*", "x") if resource != "*" else "*", keys))
                ]
    expect(bool(found) and not lost, "not within the boundary:\n" + "\n".join(lost))


def condition_keys(statement: dict) -> tuple[tuple[str, str], ...]:
    return tuple((key, iam.listed(value)[0]) for lines in statement.get("Condition", {}).values() for key, value in lines.items())


def check_plan_changes_nothing(statements: list[dict]) -> None:
    writing = [action for action in actions(statements) if iam.definition(action)["access_level"] not in ("List", "Read")]
    expect(not writing, f"the role that plans may {writing}")
    expect("secretsmanager:GetSecretValue" not in actions(statements), "the role that plans may read secrets")


def table(statements: list[dict], recorder: Recorder) -> str:
    """The table of permissions, with what needs each."""
    lines = ["| action | needed by | to | recorded |", "|---|---|---|---|"]
    for action in sorted(actions(statements)):
        if action in UNRECORDED:
            type_, reason = UNRECORDED[action]
            lines.append(f"| `{action}` | {type_} | change | no: {reason} |")
        else:
            uses = recorder.uses[action]
            steps = [step for step in ("make", "read", "change", "destroy") if any(step in found for found in uses.values())]
            lines.append(f"| `{action}` | {', '.join(sorted(uses))} | {', '.join(steps)} | yes |")
    return "\n".join(lines)


def called(place: Path) -> dict[str, set[str]]:
    """The actions that scripts may need, any of which will do, by the command that needs them."""
    files = sorted(place.iterdir()) if place.is_dir() else [place]
    found = {}
    for file in files:
        for service, command in CALLS.get(file.suffix, re.compile("(?!)")).findall(file.read_text()):
            name = "".join(part.capitalize() for part in command.split("-"))
            actions_ = {f"s3:{one}" for one in ACTIONS.get(name, [name])} if service == "s3api" else {f"{service}:{name}"}
            found[f"{file.name}: aws {service} {command}"] = COMMANDS.get((service, command), actions_)
    return found


def by_role(roles: dict[str, dict]) -> dict[str, set[str]]:
    """What each role of modules/identity may do."""
    found: dict[str, set[str]] = {}
    for address, policy in roles.items():
        role = address.split(".")[-1].split("[")[0]
        found.setdefault(role, set()).update(actions(policy["Statement"]))
    return found


def check_scripts(roles: dict[str, set[str]]) -> None:
    """What runs on servers and deploys to them calls nothing that its role may not."""
    for place, role in SCRIPTS.items():
        found = called(SOURCE.parent / place) if (SOURCE.parent / place).exists() else {}
        expect(bool(found), f"{place} calls nothing: is it there?")
        refused = {call: sorted(wanted) for call, wanted in found.items() if not wanted & roles[role]}
        expect(not refused, f"the role {role} may not: {refused}")


def check_identity_table(roles: dict[str, set[str]]) -> None:
    """The table of modules/identity has each action of each role, and no other."""
    said = set(ROW.findall((SOURCE / "modules/identity/README.md").read_text()))
    allowed = {(role, action) for role, actions_ in roles.items() for action in actions_}
    expect(said == allowed, f"only in the table: {sorted(said - allowed)}; only in the policies: {sorted(allowed - said)}")


def check_noticed(deploy: list[dict], recorder: Recorder) -> None:
    """The checks themselves: a misspelt action, one too many, one too few, and a resource that does not fit are found."""
    spare = {"Effect": "Allow", "Resource": ["*"]}
    found = {
        "misspelt": lambda: check_exist([spare | {"Action": ["ec2:CreatVpc"]}]),
        "idle": lambda: check_needed(deploy + [spare | {"Action": ["ec2:StopInstances"]}], recorder),
        "missing": lambda: check_allowed([one for one in deploy if one["Sid"] != "MakeNetwork"], recorder.asked),
        "unfit": lambda: check_reachable([spare | {"Action": ["ec2:CreateVpc"], "Resource": ["arn:aws:ec2:*:*:subnet/*"]}]),
        "unknown key": lambda: check_reachable(
            [spare | {"Action": ["ec2:CreateVpc"], "Condition": {"StringEquals": {"ec2:Colour": "blue"}}}]
        ),
        "too wide": lambda: check_other([spare | {"Action": ["s3:*"]}], recorder.asked),
        "writing plan": lambda: check_plan_changes_nothing([spare | {"Action": ["s3:DeleteBucket"]}]),
    }
    for name, check in found.items():
        try:
            check()
        except Failed:
            continue
        raise Failed(f"not noticed: {name}")


HEAD = """# What the deploy role may do, and which call needs it

Written by `terraform/tests/policies.py --write`; its check fails where a line is missing or left over. *Needed by* names the type
of resource, *state* being Terraform's own. Recorded are the calls that moto answers while everything of an environment is made,
read, changed and destroyed through the AWS SDK, with what AWS asks for along with them: the right to tag what is made
with tags, to pass a role that a profile is given, to make the secret that RDS keeps a password in.

On which resources each action is allowed stands in `roles/*.tf`: by name where names are ours to give, on EC2 by the tags
`Project` and `Environment`. The role that plans has the same lines, as far as they read.

"""


def check_table(statements: list[dict], recorder: Recorder) -> None:
    wanted = HEAD + table(statements, recorder) + "\n"
    if "--write" in sys.argv:
        TABLE.write_text(wanted)
    expect(TABLE.exists() and TABLE.read_text() == wanted, "bootstrap/permissions.md is not up to date: policies.py --write")


def main() -> None:
    results = Results()
    found = iam.policies(iam.made("bootstrap", "made"))
    deploy, plan, bound = (iam.of_role(found, role) for role in ("deploy", "plan", "boundary"))
    roles = iam.policies(iam.made("modules/identity", "bounded_roles"))
    inner = [statement for policy in roles.values() for statement in policy["Statement"]]
    with results.test("each action exists"):
        check_exist(deploy + plan + bound + inner)
    with results.test("IAM takes policies of this size"):
        check_size(found)
    for name, statements in {"deploy": deploy, "boundary": bound, "identity": inner}.items():
        with results.test(f"each action can be allowed: {name}"):
            check_reachable(statements)
    recorder = record()
    with results.test(f"each of {len(set(recorder.asked))} recorded requests is allowed"):
        check_allowed(deploy, recorder.asked)
    with results.test("each allowed action is needed"):
        check_needed(deploy, recorder)
    with results.test("each type of resource is made"):
        check_types(recorder)
    with results.test("permissions.md says so"):
        check_table(deploy, recorder)
    with results.test("the other environment is closed"):
        check_other(deploy, recorder.asked)
    for what, request in bad_requests().items():
        with results.test(f"refused: {what}"):
            expect(not iam.allowed(deploy, request), str(request))
    with results.test("the plan role reads and no more"):
        check_plan_changes_nothing(plan)
    with results.test("the table of modules/identity says so"):
        check_identity_table(by_role(roles))
    with results.test("scripts call nothing that their role may not"):
        check_scripts(by_role(roles))
    with results.test("mistakes are noticed"):
        check_noticed(deploy, recorder)
    with results.test("roles of modules/identity are within the boundary"):
        check_roles_within_boundary(bound, roles)
    results.end()


if __name__ == "__main__":
    main()
