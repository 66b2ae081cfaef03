"""What the tests share: a place for machines, AWS, and the count at the end."""

import itertools
import os
import subprocess
import tempfile
import urllib.request
from pathlib import Path

import boto3
import machines
import pytest
import servers

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1"}


class Cloud:
    """AWS for one test, empty at first."""

    def __init__(self, port: int):
        self.environment = {**KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        self.port = port

    def client(self, service: str):
        return boto3.client(
            service,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def secret(self, name: str, text: str | bytes) -> str:
        kind = "SecretBinary" if isinstance(text, bytes) else "SecretString"
        return self.client("secretsmanager").create_secret(Name=name, **{kind: text})["ARN"]


@pytest.fixture(scope="session")
def place():
    """A folder in memory that other users can look into."""
    folder = Path(tempfile.mkdtemp(prefix="boot-"))
    folder.chmod(0o755)
    machines.scratch(folder)
    folder.chmod(0o755)
    os.environ.update(KEYS)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)
    folder.rmdir()


@pytest.fixture(scope="session")
def moto(place):
    with servers.aws(place) as port:
        yield port


@pytest.fixture
def cloud(moto):
    fresh = Cloud(moto)
    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{moto}/moto-api/reset", method="POST"))
    return fresh


_numbers = itertools.count(1)


@pytest.fixture
def folder(place):
    """A folder of the test's own."""
    made = place / f"{next(_numbers)}"
    made.mkdir()
    return made


@pytest.fixture
def machine(folder, cloud):
    """Makes machines."""

    def make(instance: str = "i-0123456789abcdef0", disk: Path | None = None, **environment: str) -> machines.Machine:
        return machines.Machine(folder / f"machine-{next(_numbers)}", instance, {**cloud.environment, **environment}, disk)

    return make


def pytest_terminal_summary(terminalreporter):
    """The line that scripts/test.sh counts."""
    count = {kind: len(terminalreporter.stats.get(kind, [])) for kind in ("passed", "failed", "error")}
    terminalreporter.write_line(f"{count['passed']} passed, {count['failed'] + count['error']} failed")
