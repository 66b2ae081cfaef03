"""How a person gets a kubeconfig: through SSM, into a file of their own."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "terraform/modules/cluster/kubeconfig.sh"
# In AWS's place: sessions as SSM's plugin shows them.
AWS = """#!/bin/bash
echo "$*" >>{calls}
case "$*" in
  *describe-auto-scaling-groups*) echo "{instance}" ;;
  *AWS-StartNonInteractiveCommand*) printf '\\nStarting session with SessionId: somebody-0123\\r\\n{config}\\r\\nExiting session with sessionId: 0123\\n' ;;
  *AWS-StartPortForwardingSession*) echo forwarding ;;
esac
"""
CONFIG = ["apiVersion: v1", "clusters:", "- cluster:", "    server: https://127.0.0.1:6443", "users:", "- user:", "    client-key-data: abc="]


@pytest.fixture
def run(folder):
    def start(instance: str = "i-0123", config: list[str] = CONFIG) -> subprocess.CompletedProcess:
        fake = folder / "aws"
        fake.write_text(AWS.format(calls=folder / "calls", instance=instance, config="\\r\\n".join(config)))
        fake.chmod(0o755)
        environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
        command = [SCRIPT, "test-server", "us-east-1", folder / "kubeconfig"]
        return subprocess.run(command, env=environment, text=True, capture_output=True, check=False)

    return start


def test_the_file_is_as_k3s_wrote_it_and_for_its_owner_alone(run, folder):
    done = run()
    assert done.returncode == 0 and "forwarding" in done.stdout, done.stderr
    file = folder / "kubeconfig"
    assert file.read_text().splitlines() == CONFIG
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    assert "abc=" not in done.stdout + done.stderr + (folder / "calls").read_text()


def test_a_server_that_has_not_booted_gives_none(run, folder):
    done = run(config=["cat: /etc/rancher/k3s/k3s.yaml: No such file or directory"])
    assert done.returncode == 1 and "has it booted" in done.stderr
    assert not list(folder.glob("kubeconfig*"))


def test_without_a_server_it_says_so(run):
    done = run(instance="None")
    assert done.returncode == 1 and "no server in service" in done.stderr
