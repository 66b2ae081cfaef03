"""Policies as AWS reads them, as far as ours go: Allow statements, patterns of actions and resources, conditions."""

import json
import tempfile
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import policy_sentry
from tofu import Tofu

SOURCE = Path(__file__).parent.parent
ACCOUNT, REGION = "123456789012", "eu-central-1"


@dataclass(frozen=True)
class Request:
    """What a call asks of one resource: the action, the resource's ARN (or *), and the keys that conditions see."""

    action: str
    resource: str
    keys: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}" + (f" with {dict(self.keys)}" if self.keys else "")


def listed(value) -> list:
    return value if isinstance(value, list) else [value]


def holds(operator: str, key: str, wanted: list[str], keys: dict[str, str]) -> bool:
    """One line of a condition."""
    if operator == "Null":
        return (key not in keys) == (wanted == ["true"])
    if operator == "StringEquals":
        return keys.get(key) in wanted
    if operator in ("StringLike", "ArnLike"):
        return key in keys and any(fnmatchcase(keys[key], pattern) for pattern in wanted)
    raise NotImplementedError(operator)


def fits(statement: dict, request: Request) -> bool:
    """Whether a statement speaks of a request."""
    if not any(fnmatchcase(request.action.lower(), action.lower()) for action in listed(statement["Action"])):
        return False
    if not any(fnmatchcase(request.resource, pattern) for pattern in listed(statement["Resource"])):
        return False
    conditions = statement.get("Condition", {})
    keys = dict(request.keys)
    return all(
        holds(operator, key, listed(wanted), keys) for operator, lines in conditions.items() for key, wanted in lines.items()
    )


def allowed(statements: list[dict], request: Request) -> bool:
    return any(statement["Effect"] == "Allow" and fits(statement, request) for statement in statements)


def resources(module: dict) -> list[dict]:
    """Every resource of a state, of the modules inside, too."""
    return module.get("resources", []) + [found for child in module.get("child_modules", []) for found in resources(child)]


def made(folder: str, run: str) -> list[dict]:
    """The resources that a run of a folder's tests makes."""
    with tempfile.TemporaryDirectory() as work:
        tofu = Tofu(SOURCE, Path(work))
        tofu(folder, "init", "-backend=false", "-input=false")
        done = tofu(folder, "test", "-json", "-verbose")
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message["type"] == "test_state" and message["@testrun"] == run:
            return resources(message["test_state"]["values"]["root_module"])
    raise RuntimeError(f"no run {run} in {folder}:\n{done.stdout}\n{done.stderr}")


def policies(found: list[dict]) -> dict[str, dict]:
    """The policies among resources, by their address."""
    kinds = ("aws_iam_policy", "aws_iam_role_policy")
    return {one["address"]: json.loads(one["values"]["policy"]) for one in found if one["type"] in kinds}


def of_role(found: dict[str, dict], role: str, environment: str = "development") -> list[dict]:
    """The statements of one of bootstrap's roles."""
    start = f'module.roles["{environment}"].aws_iam_policy.{role}'
    return [line for address, policy in found.items() if address.startswith(start) for line in policy["Statement"]]


@cache
def definitions() -> dict:
    """AWS's own list of actions, with the resources and the condition keys that each knows."""
    place = Path(policy_sentry.__file__).parent / "shared/data/iam-definition.json"
    return json.loads(place.read_text())


def definition(action: str) -> dict | None:
    service, _, name = action.partition(":")
    return definitions().get(service, {}).get("privileges", {}).get(name)


def arn_of_type(service: str, kind: str) -> str:
    """A resource of a type, with every variable of its ARN filled in by something."""
    text = definitions()[service]["resources"][kind]["arn"]
    for variable, value in (("${Partition}", "aws"), ("${Region}", REGION), ("${Account}", ACCOUNT)):
        text = text.replace(variable, value)
    return text
