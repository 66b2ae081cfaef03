"""The user data: what is refused, what is in it, and that it is small enough."""

import base64
import gzip

import pytest
import yaml
from rendering import LEAST, NO_SUM, Refused, rendered

MLFLOW = {"image": "mlflow", "artifacts_uri": "s3://artifacts/mlflow"}


def paths(text: str) -> set[str]:
    return {file["path"] for file in yaml.safe_load(text)["write_files"]}


def test_what_ec2_gets_is_the_text_and_fits(folder):
    outputs = rendered(folder, mlflow=MLFLOW)
    packed = base64.b64decode(outputs["packed"])
    assert gzip.decompress(packed).decode() == outputs["text"]
    assert len(packed) <= 16384


@pytest.mark.parametrize("program", ["k3s", "helm"])
@pytest.mark.parametrize("checksum", ["", "abc", NO_SUM.upper().replace("0", "A")])
def test_a_program_without_a_checksum_is_refused(folder, program, checksum):
    with pytest.raises(Refused, match="checksum of .* is not known"):
        rendered(folder, **{program: {**LEAST[program], "checksum": checksum}})


def test_a_quote_in_a_setting_is_refused(folder):
    with pytest.raises(Refused, match="No setting may hold a quote"):
        rendered(folder, snapshots_bucket="bucket'; reboot; '")


def test_objects_that_make_it_too_large_are_refused(folder):
    noise = base64.b64encode(bytes(hash(str(number)) % 256 for number in range(20000))).decode()
    with pytest.raises(Refused, match="more than 16 KB"):
        rendered(folder, objects={"noise": noise})


def test_an_agent_has_nothing_of_a_server(folder):
    text = rendered(folder, role="agent", objects={"model": "kind: LoanModel"}, mlflow=MLFLOW)["text"]
    foreign = {path for path in paths(text) if "/manifests/" in path or "/objects/" in path or "secrets.json" in path}
    assert not foreign
    assert "/etc/systemd/system/underwriter-join.timer" in paths(text)
    assert "/etc/systemd/system/underwriter-snapshot.timer" not in paths(text)


def test_the_programs_are_downloaded_for_the_architecture(folder):
    settings = rendered(folder, architecture="x86_64")["text"]
    assert "v1.35.0%2Bk3s1/k3s'" in settings and "linux-amd64.tar.gz" in settings
    settings = rendered(folder)["text"]
    assert "v1.35.0%2Bk3s1/k3s-arm64'" in settings and "linux-arm64.tar.gz" in settings
