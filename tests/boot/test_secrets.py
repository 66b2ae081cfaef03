"""Secrets on their way from Secrets Manager into the cluster: whatever they hold, and seen by nobody."""

import base64
import json

import pytest
from rendering import rendered

# Notes how it was called, and what it was given.
RECORDER = """#!/bin/bash
printf '%s\\n' "$@" >>/var/log/kubectl.arguments
cat >>/var/log/kubectl.given
echo >>/var/log/kubectl.given
"""
WATCHED = """#!/bin/bash
printf '%s\\n' "$@" >>/var/log/aws.arguments
exec {aws} "$@"
"""
NASTY = "a'b\"c`d$e\\f\ng\th;i|j&k%l!m{n}o[p]q<r>s~t#u é 漢 \u0001 end\n"


@pytest.fixture
def synced(machine, folder, cloud):
    """Copies secrets and says what became of them."""

    def sync(*wanted: dict, strict: bool = False):
        made = machine()
        full = [{"namespace": "lending", "key": "value", "keys": {}, **one} for one in wanted]
        made.written(rendered(folder / "tofu", secrets=full)["text"])
        made.write("/usr/local/bin/kubectl", RECORDER, 0o755)
        real = made.run("bash", "-c", "type -P aws").stdout.strip()
        made.write("/usr/local/bin/aws", WATCHED.format(aws=real), 0o755)
        done = made.program("sync_secrets.py", *(["--strict"] if strict else []), check=False)
        given = made.path("/var/log/kubectl.given")
        objects = [json.loads(line) for line in given.read_text().splitlines() if line] if given.exists() else []
        seen = done.stdout + done.stderr + "".join(file.read_text() for file in made.path("/var/log").glob("*.arguments"))
        return done, {one["metadata"]["name"]: decoded(one) for one in objects}, seen

    return sync


def decoded(secret: dict) -> dict:
    assert secret["kind"] == "Secret" and secret["metadata"]["namespace"] == "lending"
    return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}


def test_an_object_becomes_a_key_for_each_field(synced, cloud):
    cloud.secret("kaggle", json.dumps({"KAGGLE_USERNAME": "somebody", "KAGGLE_KEY": NASTY}))
    _, found, _ = synced({"secret": "kaggle", "name": "kaggle"})
    assert found == {"kaggle": {"KAGGLE_USERNAME": "somebody", "KAGGLE_KEY": NASTY}}


# The failure of the project before: jq was asked for a field of a secret that was no object, and the deployment ended.
@pytest.mark.parametrize("text", ["hunter2", NASTY, "12345", "true", "null", '"quoted"', '["a", "list"]', "{not json", " "])
def test_a_plain_text_becomes_one_key_as_it_is(synced, cloud, text):
    cloud.secret("plain", text)
    done, found, _ = synced({"secret": "plain", "name": "plain"}, strict=True)
    assert done.returncode == 0, done.stderr
    assert found == {"plain": {"value": text}}


def test_bytes_become_one_key(synced, cloud):
    cloud.secret("binary", b"\x01\x02")
    _, found, _ = synced({"secret": "binary", "name": "binary", "key": "bytes"})
    assert found == {"binary": {"bytes": "\x01\x02"}}


def test_fields_that_are_no_texts_become_texts(synced, cloud):
    cloud.secret("mixed", json.dumps({"port": 5432, "on": True, "more": {"a": 1}}))
    _, found, _ = synced({"secret": "mixed", "name": "mixed"})
    assert found == {"mixed": {"port": "5432", "on": "true", "more": '{"a": 1}'}}


def test_fields_get_the_names_that_are_wanted(synced, cloud):
    cloud.secret("kaggle.json", '{"username": "somebody", "key": "0123", "other": "x"}')
    keys = {"KAGGLE_USERNAME": "username", "KAGGLE_KEY": "key"}
    _, found, _ = synced({"secret": "kaggle.json", "name": "kaggle", "keys": keys})
    assert found == {"kaggle": {"KAGGLE_USERNAME": "somebody", "KAGGLE_KEY": "0123"}}


def test_one_that_fails_does_not_hold_up_the_others(synced, cloud):
    cloud.secret("lacks", '{"username": "somebody"}')
    cloud.secret("there", "hunter2")
    wanted = (
        {"secret": "missing", "name": "missing"},
        {"secret": "lacks", "name": "lacks", "keys": {"KAGGLE_KEY": "key"}},
        {"secret": "there", "name": "there"},
    )
    done, found, _ = synced(*wanted, strict=True)
    assert found == {"there": {"value": "hunter2"}}
    assert done.returncode == 1
    assert "not copied: missing to lending/missing" in done.stderr and "no field key" in done.stderr
    done, _, _ = synced(*wanted)
    assert done.returncode == 0


def test_nobody_sees_them(synced, cloud):
    cloud.secret("object", json.dumps({"password": "hunter2-in-an-object"}))
    cloud.secret("plain", "hunter2-plain")
    cloud.secret("lacks", json.dumps({"password": "hunter2-that-lacks"}))
    _, found, seen = synced(
        {"secret": "object", "name": "object"},
        {"secret": "plain", "name": "plain"},
        {"secret": "lacks", "name": "lacks", "keys": {"token": "token"}},
    )
    assert len(found) == 2
    assert "hunter2" not in seen
    for found in ("hunter2-in-an-object", "hunter2-plain", "hunter2-that-lacks"):
        assert base64.b64encode(found.encode()).decode() not in seen
