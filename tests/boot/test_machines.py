"""How machines find one another: the address, the agents' way to the server, and nodes that are gone."""

import pytest
from rendering import rendered

KUBECTL = """#!/bin/bash
case $* in
  "get nodes --output name") cat /var/lib/nodes ;;
  delete*) echo "$2" >>/var/lib/deleted ;;
esac
"""


@pytest.fixture
def run(cloud):
    """Starts instances of a name, and gives their ids and private addresses."""

    def start(name: str) -> tuple[str, str]:
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]
        ec2 = cloud.client("ec2")
        request = {"ImageId": "ami-12345678", "InstanceType": "t4g.small", "MinCount": 1, "MaxCount": 1}
        (made,) = ec2.run_instances(**request, TagSpecifications=tags)["Instances"]
        return made["InstanceId"], made["PrivateIpAddress"]

    return start


def test_the_address_moves_to_the_new_server(machine, folder, cloud, run):
    ec2 = cloud.client("ec2")
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    text = rendered(folder / "tofu", address_allocation=allocation)["text"]
    for _ in range(2):
        instance, _ = run("test-server")
        made = machine(instance)
        made.written(text)
        made.program("address.sh")
        (address,) = ec2.describe_addresses(AllocationIds=[allocation])["Addresses"]
        assert address["InstanceId"] == instance


def test_an_agent_follows_the_server(machine, folder, cloud, run):
    agent = machine()
    agent.written(rendered(folder / "tofu", role="agent")["text"])
    config = agent.path("/etc/rancher/k3s/config.yaml.d/server.yaml")
    run("other-server")
    assert agent.program("join.sh", check=False).returncode != 0 and not config.exists()

    first, address = run("test-server")
    agent.program("join.sh")
    assert config.read_text() == f"server: https://{address}:6443\n"
    agent.program("join.sh")
    assert agent.path("/var/log/systemctl").read_text().count("try-restart k3s") == 1

    cloud.client("ec2").terminate_instances(InstanceIds=[first])
    _, address = run("test-server")
    agent.program("join.sh")
    assert config.read_text() == f"server: https://{address}:6443\n"
    assert agent.path("/var/log/systemctl").read_text().count("try-restart k3s") == 2


def test_nodes_are_forgotten_when_their_machine_is_gone(machine, folder, cloud, run):
    server = machine()
    server.written(rendered(folder / "tofu")["text"])
    server.write("/usr/local/bin/kubectl", KUBECTL, 0o755)
    (running, _), (ended, _), (stopped, _) = (run("test-agent") for _ in range(3))
    cloud.client("ec2").terminate_instances(InstanceIds=[ended])
    cloud.client("ec2").stop_instances(InstanceIds=[stopped])
    nodes = ["test-server", running, ended, stopped, "i-0123456789abcdef9"]
    server.write("/var/lib/nodes", "".join(f"node/{name}\n" for name in nodes))
    server.program("forget_nodes.sh")
    assert server.path("/var/lib/deleted").read_text().split() == [f"node/{ended}", "node/i-0123456789abcdef9"]


def test_no_node_is_forgotten_while_aws_does_not_answer(machine, folder):
    server = machine(AWS_ENDPOINT_URL="http://127.0.0.1:1", AWS_MAX_ATTEMPTS="1")
    server.written(rendered(folder / "tofu")["text"])
    server.write("/usr/local/bin/kubectl", KUBECTL, 0o755)
    server.write("/var/lib/nodes", "node/i-0123456789abcdef9\n")
    assert server.program("forget_nodes.sh", check=False).returncode != 0
    assert not server.path("/var/lib/deleted").exists()


def test_the_server_keeps_its_name_and_others_have_their_own(machine, folder, cloud):
    cloud.secret("test/k3s-token", "t" * 64)
    server, replaced, agent = machine("i-0aaaaaaaaaaaaaaaa"), machine("i-0bbbbbbbbbbbbbbbb"), machine("i-0cccccccccccccccc")
    for one, role in ((server, "server"), (replaced, "server"), (agent, "agent")):
        one.written(rendered(folder / role, role=role)["text"])
        one.program("cluster_token.py")
        one.program("node.sh")
    names = [one.path("/etc/rancher/k3s/config.yaml.d/node.yaml").read_text() for one in (server, replaced, agent)]
    assert names == ["node-name: test-server\n", "node-name: test-server\n", "node-name: i-0cccccccccccccccc\n"]
    password = server.path("/etc/rancher/node/password")
    assert password.read_text() == replaced.path("/etc/rancher/node/password").read_text()
    assert oct(password.stat().st_mode & 0o777) == "0o600" and "t" * 64 not in password.read_text()
    assert not agent.path("/etc/rancher/node/password").exists()
