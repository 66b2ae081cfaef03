"""The role of pods: handed out by their machine, good for long enough, and no other."""

import contextlib
import json
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

import pytest
import servers
from rendering import LEAST, rendered


@pytest.fixture
def given(machine, folder):
    """Starts the server of the role on a machine; gives a function that asks it."""
    with contextlib.ExitStack() as started:

        def start(**environment: str):
            node = machine(**environment)
            node.written(rendered(folder / "tofu")["text"])
            address = started.enter_context(servers.pod_role(node, folder / "log"))
            return lambda path="": urllib.request.urlopen(f"{address}{path}", timeout=30)

        yield start


def test_pods_get_the_role_and_it_lasts(given, folder):
    ask = given()
    answer = json.load(ask())
    assert set(answer) == {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"} and all(answer.values())
    end = datetime.strptime(answer["Expiration"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    assert end - datetime.now(timezone.utc) > timedelta(minutes=30)
    assert json.load(ask()) == answer, "one for all, and not a call of AWS for each"
    log = (folder / "log").read_text()
    assert answer["SecretAccessKey"] not in log and answer["Token"] not in log


def test_an_sdk_finds_it_and_is_that_role(given, cloud, machine):
    given()
    pod = machine(AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/credentials")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del pod.environment[name]
    who = json.loads(pod.run("aws", "sts", "get-caller-identity", "--output", "json").stdout)["Arn"]
    assert who.startswith(f"{LEAST['workload_role'].replace(':iam:', ':sts:').replace('role/', 'assumed-role/')}/")


def test_nothing_else_is_there(given):
    ask = given()
    for path in ("/more", "/../etc/underwriter/settings.env"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            ask(path)


def test_while_aws_does_not_answer_there_is_none(given):
    ask = given(AWS_ENDPOINT_URL="http://127.0.0.1:1", AWS_MAX_ATTEMPTS="1")
    with pytest.raises(urllib.error.HTTPError, match="503"):
        ask()
