"""The registry's password, in the words of kubelet and of helm."""

import base64
import json
import subprocess
from pathlib import Path

import oci
import pytest
import servers
from rendering import LEAST, rendered

HOST = LEAST["registry_host"]
REQUEST = {
    "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
    "kind": "CredentialProviderRequest",
    "image": f"{HOST}/test/operator@sha256:0123",
}


@pytest.fixture
def node(machine, folder):
    made = machine()
    made.written(rendered(folder / "tofu")["text"])
    made.program("registry.sh")
    return made


def test_kubelet_gets_a_password_for_the_host(node):
    config = json.loads(node.path("/etc/underwriter/credential-provider.json").read_text())
    (provider,) = config["providers"]
    assert provider["matchImages"] == [HOST]
    said = node.run(f"/opt/underwriter/credential-provider/{provider['name']}", given=json.dumps(REQUEST)).stdout
    answer = json.loads(said)
    assert (answer["apiVersion"], answer["kind"]) == (provider["apiVersion"], "CredentialProviderResponse")
    assert answer["cacheKeyType"] == "Registry" and answer["auth"][HOST]["username"] == "AWS"
    assert answer["auth"][HOST]["password"]


def test_helm_gets_the_same(node):
    config = json.loads(node.path(node.settings()["HELM_REGISTRY_CONFIG"]).read_text())
    helper = f"docker-credential-{config['credHelpers'][HOST]}"
    answer = json.loads(node.run(helper, "get", given=HOST + "\n").stdout)
    assert answer["ServerURL"] == HOST and answer["Username"] == "AWS" and answer["Secret"]


def test_no_password_is_kept(node):
    password = json.loads(node.run("docker-credential-underwriter-ecr", "get", given=HOST).stdout)["Secret"]
    for file in node.path("/etc/underwriter").rglob("*"):
        assert password not in file.read_text()


def test_without_aws_there_is_none(node):
    done = node.run("docker-credential-underwriter-ecr", "get", given=HOST, check=False, AWS_ENDPOINT_URL="http://127.0.0.1:1", AWS_MAX_ATTEMPTS="1")
    assert done.returncode != 0 and not done.stdout


def test_helm_pulls_the_chart_with_it(machine, folder, cloud):
    """By the real helm, from a registry that lets nobody in without the password that AWS gives."""
    helm, chart = Path.home() / ".cache/underwriter/bin/helm", Path(__file__).parents[2] / "charts/underwriter"
    subprocess.run([helm, "package", chart, "--destination", folder], check=True, capture_output=True)
    archive = next(folder.glob("underwriter-*.tgz"))
    version = archive.stem.removeprefix("underwriter-")
    token = cloud.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    authority = servers.authority(folder, ["127.0.0.1"])
    with oci.registry(archive, base64.b64decode(token).decode(), authority) as port:
        made = machine(SSL_CERT_FILE="/etc/underwriter/ca.crt")
        made.written(rendered(folder / "tofu", registry_host=f"127.0.0.1:{port}")["text"])
        made.write("/etc/underwriter/ca.crt", authority.read_text())
        pull = (str(helm), "pull", f"oci://127.0.0.1:{port}/underwriter", "--version", version, "--destination", "/var/cache")
        refused = made.run(*pull, **made.settings(), check=False)
        assert refused.returncode != 0 and "credential not found" in refused.stderr
        made.program("registry.sh")
        made.run(*pull, **made.settings())
        assert made.path(f"/var/cache/{archive.name}").read_bytes() == archive.read_bytes()
